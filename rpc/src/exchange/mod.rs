//! Requests and answers on one connection: who waits for what, for how long, and what happens when the connection dies.

mod beat;
mod channel;
mod heartbeat;
mod pending;
mod protocol;
mod states;

pub(crate) use beat::Beat;
pub(crate) use channel::{
    Channel, ClientListener, ClientProtocol, ClientSettings, ClientShared, Outgoing, SendError, Waiter,
};
pub(crate) use pending::{Answer, Failure};
pub(crate) use protocol::{FrameWriter, TooLarge, limits, respond_heartbeat, write_frame};
pub(crate) use states::DecodeStates;
