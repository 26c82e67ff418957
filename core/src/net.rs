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
