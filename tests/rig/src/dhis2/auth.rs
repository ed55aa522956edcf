//! Who is asking: Basic credentials and personal access tokens, and what a server says without them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Crc;

use super::Dialect;
use super::access::Account;
use super::answer::Answer;
use super::http::Incoming;

/// The account a request is made with, or the answer to one without right credentials.
pub(crate) fn account<'a>(
    request: &Incoming,
    accounts: &'a [Account],
    dialect: Dialect,
    base: &str,
) -> Result<&'a Account, Answer> {
    let Some(header) = request.header("authorization") else {
        let script = request.header("x-requested-with");
        if script == Some("XMLHttpRequest") {
            return Err(unauthorized("Unauthorized"));
        }
        let page = match dialect {
            Dialect::V2_42 => "dhis-web-login/",
            Dialect::V2_43 => "login/",
        };
        return Err(Answer::redirect(302, format!("{base}{page}")));
    };
    let (scheme, secret) = header.split_once(' ').unwrap_or((header, ""));
    let found = match scheme.to_ascii_lowercase().as_str() {
        "basic" => by_password(secret, accounts),
        "apitoken" => by_token(secret.trim(), accounts)?,
        _ => None,
    };
    match found {
        Some(account) if account.disabled => Err(unauthorized("Account disabled")),
        Some(account) => Ok(account),
        None => Err(unauthorized("Unauthorized")),
    }
}

fn by_password<'a>(secret: &str, accounts: &'a [Account]) -> Option<&'a Account> {
    let plain = STANDARD.decode(secret.trim()).ok()?;
    let plain = String::from_utf8(plain).ok()?;
    let (username, password) = plain.split_once(':')?;
    accounts
        .iter()
        .find(|account| account.username == username && account.password == password)
}

fn by_token<'a>(token: &str, accounts: &'a [Account]) -> Result<Option<&'a Account>, Answer> {
    let found = accounts
        .iter()
        .find(|account| account.token.as_deref() == Some(token));
    if found.is_some() || has_valid_checksum(token) {
        return Ok(found);
    }
    let refused = Answer::message(400, "Checksum validation failed");
    Err(refused.with("WWW-Authenticate", "ApiToken"))
}

/// `d2pat_` tokens end in the CRC-32 of their 32 characters, in ten decimal digits.
fn has_valid_checksum(token: &str) -> bool {
    let Some((code, sum)) = token
        .strip_prefix("d2pat_")
        .and_then(|t| t.split_at_checked(32))
    else {
        return false;
    };
    let mut crc = Crc::new();
    crc.update(code.as_bytes());
    format!("{:010}", crc.sum()) == sum
}

fn unauthorized(message: &str) -> Answer {
    Answer::message(401, message)
}
