//! What engines know of the ways to others: whom they can reach, and queues that channels
//! share. Whatever carries a channel, to an engine it is an ordered, reliable pipe of bytes.
//! And when hosts, which keep those ways up, try again.

pub mod backoff;
pub mod contact;
pub mod lane;
pub mod parts;
pub mod policy;
pub mod throttle;

pub use backoff::Backoff;
pub use contact::Contact;
pub use lane::{Lane, LaneLimits};
pub use parts::{Part, Parts};
pub use policy::RelayPolicy;
pub use throttle::Rates;

/// A host without sockets asks no trackers by HTTP and UDP, meets nobody by TCP and is no bridge, and
/// has no code for any of it: the core's feature `ordinary`.
pub(crate) const HAS_SOCKETS: bool = cfg!(feature = "ordinary");
