//! What the page and its worker say to each other.
//!
//! [`page_kit::message`] says how they travel. The worker sends [`ToPage::Ready`] first.
//! Frames are never queued: the page asks for one when it has drawn the last, and gets it
//! as soon as there is something new.

pub(crate) use page_kit::message::{pack, unpack};
use serde::{Deserialize, Serialize};
use swarm_core::dht::NodeId;
use swarm_lab::network::{NetworkFigures, NetworkScenario, NetworkSnapshot, NodeTable};
use swarm_lab::results::Summary;
use swarm_lab::{Scenario, Snapshot};

/// From the page to the worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum ToWorker {
    /// Begins anew, with a simulation of each scenario.
    Start {
        /// Which race this is: frames carry its number.
        race: u32,
        /// One or two.
        scenarios: Vec<Scenario>,
    },
    /// Virtual seconds per second from now on: zero to pause, infinity for as fast as it
    /// can.
    Speed(f64),
    /// Plays so many virtual seconds and pauses.
    Step(f64),
    /// Wants to see how things are, once anything has changed.
    Frame,
    /// Something about a network of the DHT.
    Network(ToNetwork),
}

/// From the page to the network that is played.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum ToNetwork {
    /// Begins anew, with this network in the place of whatever was played.
    Start {
        /// Which race this is.
        race: u32,
        scenario: Box<NetworkScenario>,
        /// When things go wrong by themselves. Virtual seconds.
        trouble: Option<f64>,
    },
    /// Frames are to have the table of this node.
    Show(Option<u32>),
    /// As [`swarm_lab::network::Network::look_up`].
    LookUp {
        /// Twenty bytes; any, if none.
        key: Option<NodeId>,
        node: Option<u32>,
        announces: bool,
    },
    /// This share of the nodes dies.
    Kill(f64),
    /// The bootstrap nodes die.
    KillBootstrap,
    /// One comes that everybody hears of.
    Introduce,
    /// The partition ends.
    Heal,
}

/// From the worker to the page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum ToPage {
    /// The worker listens.
    Ready,
    /// The scenario can't be played.
    Refused(String),
    /// Answers [`ToWorker::Frame`].
    Frame(Frame),
    /// The same, where a network of the DHT is played.
    Network(Box<NetworkFrame>),
}

/// A moment of a network of the DHT.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NetworkFrame {
    /// Which race it is of.
    pub race: u32,
    pub snapshot: NetworkSnapshot,
    /// Of the node that is to be shown, if it is there.
    pub table: Option<NodeTable>,
    /// A few times a second.
    pub figures: Option<NetworkFigures>,
}

/// A moment of all simulations.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Frame {
    /// Which race it is of.
    pub race: u32,
    /// In the order of the scenarios.
    pub runs: Vec<RunFrame>,
    /// Nothing will happen any more.
    pub is_over: bool,
}

/// A moment of one simulation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RunFrame {
    /// What there is to see, of the flows only the strongest.
    pub snapshot: Snapshot,
    /// What has been measured, a few times a second.
    pub figures: Option<Figures>,
}

/// What has been measured so far, as in [`swarm_lab::Results`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub time: f64,
    pub events: u64,
    pub completion: Summary,
    pub free_rider_completion: Summary,
    pub least_time: Option<f64>,
    pub utilisation: f64,
    /// Share of the payload that the relay carried.
    pub relayed: f64,
    pub duplicate: u64,
    pub corrupt: u64,
    /// When leechers completed, in order.
    pub completed: Vec<f64>,
    /// Nothing will happen any more in this one.
    pub is_over: bool,
}
