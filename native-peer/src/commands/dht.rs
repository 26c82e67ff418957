//! `native-peer dht`

mod inquiry;
mod lookup;
mod show;
mod table;
mod values;

use std::process::ExitCode;

use crate::Error;
use crate::arguments::{Dht, DhtCommand};

pub(crate) fn run(arguments: Dht) -> Result<ExitCode, Error> {
    match arguments.what {
        DhtCommand::Lookup(arguments) => lookup::run(&arguments),
        DhtCommand::Get(arguments) => values::get(&arguments),
        DhtCommand::Put(arguments) => values::put(&arguments),
        DhtCommand::Table(arguments) => table::run(&arguments),
    }
}
