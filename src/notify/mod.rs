//! Tells people what is due: when, in which words, and the four ways to tell it. The only module that names `lettre`.

mod command;
mod due;
mod facts;
mod mail;
mod message;
mod way;
mod webhook;

pub(crate) use command::AlertCommand;
pub(crate) use due::due;
pub(crate) use facts::{
    Audience, EndedRun, HistoryFacts, NotedInterruption, Notice, Open, Severity, Stamp, ToldBefore,
    Topic,
};
pub(crate) use mail::{Mail, Transit, ensure_address};
pub(crate) use message::{AlertMessage, Origin};
pub(crate) use way::{Way, send};
pub(crate) use webhook::Webhook;
