//! Why a WebSocket ends, as a number.

/// RFC 6455 §7.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CloseCode(u16);

impl CloseCode {
    pub(super) const GOING_AWAY: Self = CloseCode(1001);
    pub(super) const PROTOCOL_ERROR: Self = CloseCode(1002);
    pub(super) const UNSUPPORTED_DATA: Self = CloseCode(1003);
    pub(super) const INVALID_FRAME_PAYLOAD_DATA: Self = CloseCode(1007);
    pub(super) const POLICY_VIOLATION: Self = CloseCode(1008);
    pub(super) const MESSAGE_TOO_BIG: Self = CloseCode(1009);
    /// From the registry that §11.7 sets up.
    pub(super) const SERVICE_OVERLOAD: Self = CloseCode(1013);

    /// None if it is none that may travel.
    pub(super) fn from_wire(code: u16) -> Option<Self> {
        match code {
            1004..=1006 | 1015 => None,
            1000..=1014 | 3000..=4999 => Some(CloseCode(code)),
            _ => None,
        }
    }

    pub(super) fn to_wire(self) -> [u8; 2] {
        self.0.to_be_bytes()
    }
}
