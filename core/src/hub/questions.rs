//! What the hub answers to ordinary clients, which are not connected.

use std::net::IpAddr;

use super::accounts::cost;
use super::{ConnId, Frame, Hub, HubOutput, TrackerQuestion, TrackerReply};
use crate::time::Time;

impl<F: Frame> Hub<F> {
    /// Somebody at this address asks, and is answered at once.
    pub(super) fn ask(
        &mut self,
        now: Time,
        conn: ConnId,
        from: IpAddr,
        question: &TrackerQuestion,
    ) {
        let cost = cost::of_question(question, self.config.max_numwant);
        let reply = if self.accounts.charge_source(now, from.into(), cost) {
            self.reply(now, from, question)
        } else {
            let reason = "slow down: your address asks for more than its share of this server's \
                          time";
            TrackerReply::Refused(reason.to_owned())
        };
        self.door.reply(conn, HubOutput::Reply(reply));
    }

    fn reply(&mut self, now: Time, from: IpAddr, question: &TrackerQuestion) -> TrackerReply {
        match question {
            TrackerQuestion::Announce {
                announce,
                both_families,
            } => {
                let both = *both_families;
                match self.registry.announce_socket(now, from, announce, both) {
                    Ok(announced) => TrackerReply::Announced(announced),
                    Err(reason) => TrackerReply::Refused(reason.to_owned()),
                }
            }
            TrackerQuestion::Scrape { swarms } => {
                TrackerReply::Scraped(self.registry.scrape_sockets(swarms))
            }
        }
    }
}
