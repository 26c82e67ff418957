//! What is seen, in words.

use lab_page::dht::name;
use swarm_core::dht::NodeId;
use swarm_lab::network::{DotState, HopState, NetworkFigures, NetworkSnapshot, Walk};

/// How the network is.
pub(super) fn of_network(snapshot: &NetworkSnapshot, figures: &NetworkFigures) -> String {
    let count = |state| {
        let nodes = snapshot.nodes.iter();
        nodes.filter(|dot| dot.state == state).count()
    };
    let (joined, alone) = (count(DotState::Joined), count(DotState::Alone));
    let all = joined + alone + count(DotState::Joining);
    let state = match (joined, alone) {
        (0, alone) if alone == all => format!("All {all} nodes are alone."),
        (joined, 0) => format!("{joined} of {all} nodes are in the network."),
        (joined, alone) => {
            format!("{joined} of {all} nodes are in the network, {alone} are alone.")
        }
    };
    let parted = match snapshot.parted {
        true => " Two sides can’t reach each other.",
        false => "",
    };
    let bootstrap = match snapshot.bootstrap {
        true => "",
        false => " There is no bootstrap node.",
    };
    let contacts = figures.table.contacts;
    format!("{state}{parted}{bootstrap} A table has {contacts:.0} entries on average.")
}

/// How a walk goes, or what came of it.
pub(super) fn of_walk(walk: &Walk, snapshot: &NetworkSnapshot) -> String {
    let who = node(snapshot, walk.node);
    let key = key(walk.key);
    let Some(ending) = &walk.ended else {
        let waited = walk.hops.iter();
        let waited = waited.filter(|hop| hop.state == HopState::Waiting).count();
        let does = match walk.announces {
            true => "looks for the nodes nearest to",
            false => "looks up",
        };
        return format!(
            "{who} {does} {key}: {} asked, {waited} waited for, {} bits shared so far.",
            walk.hops.len(),
            walk.bits(),
        );
    };
    if let Some(failure) = &ending.failure {
        let wanted = if walk.announces {
            "announce"
        } else {
            "look up"
        };
        return format!("{who} could not {wanted} {key}: {failure}.");
    }
    let took = (ending.took * 1000.0).round();
    let asked = walk.hops.len();
    let (reached, of) = (ending.reached, ending.of);
    let nearest = format!(
        "reached {reached} of the {of} nodes nearest to it, of {asked} asked, in {took} ms"
    );
    match (walk.announces, &ending.found[..]) {
        (true, _) => format!(
            "{who} announced {key} to {} nodes; it {nearest}.",
            ending.stored
        ),
        (false, []) => {
            let who = lowercase(&who);
            format!("Nobody told {who} of anybody who has {key}; it {nearest}.")
        }
        (false, [first, ..]) => {
            let has = node(snapshot, *first);
            format!(
                "{who} found who has {key}: {}; it {nearest}.",
                lowercase(&has)
            )
        }
    }
}

/// "Node 6b3fa"
pub(super) fn node(snapshot: &NetworkSnapshot, index: u32) -> String {
    let dot = snapshot.nodes.get(index as usize);
    dot.map_or_else(
        || "A node".to_owned(),
        |dot| format!("Node {}", name(dot.id)),
    )
}

fn lowercase(node: &str) -> String {
    node.replacen("Node", "node", 1)
}

/// "key a9993…"
fn key(key: NodeId) -> String {
    let text = key.to_string();
    format!("key {}…", text.get(..5).unwrap_or_default())
}
