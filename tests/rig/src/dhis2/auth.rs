//! Who is asking: sessions, Basic credentials and personal access tokens, and what a server says without them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Crc;

use super::Dialect;
use super::access::{Account, LimitedToken};
use super::answer::Answer;
use super::http::Incoming;

/// The account a request is made with, or the answer to one without right credentials. `user` is who has its session: a
/// header with the same name is not looked at again, a token always is.
pub(crate) fn account<'a>(
    request: &Incoming,
    user: Option<&str>,
    accounts: &'a [Account],
    dialect: Dialect,
    base: &str,
) -> Result<&'a Account, Answer> {
    let mut logged_in = accounts.iter();
    let logged_in = logged_in.find(|account| user == Some(account.username.as_str()));
    let Some(header) = request.header("authorization") else {
        if let Some(account) = logged_in {
            return Ok(account);
        }
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
        "basic" => logged_in
            .filter(|account| has_name(secret, account))
            .or_else(|| by_password(secret, accounts)),
        "apitoken" => by_token(request, secret.trim(), accounts)?,
        _ => None,
    };
    match found {
        Some(account) if account.disabled => Err(unauthorized("Account disabled")),
        Some(account) => Ok(account),
        None => Err(unauthorized("Unauthorized")),
    }
}

fn by_password<'a>(secret: &str, accounts: &'a [Account]) -> Option<&'a Account> {
    let (username, password) = name_and_password(secret)?;
    accounts
        .iter()
        .find(|account| account.username == username && account.password == password)
}

fn has_name(secret: &str, account: &Account) -> bool {
    name_and_password(secret).is_some_and(|(username, _)| username == account.username)
}

fn name_and_password(secret: &str) -> Option<(String, String)> {
    let plain = STANDARD.decode(secret.trim()).ok()?;
    let plain = String::from_utf8(plain).ok()?;
    let (username, password) = plain.split_once(':')?;
    Some((username.to_owned(), password.to_owned()))
}

fn by_token<'a>(
    request: &Incoming,
    token: &str,
    accounts: &'a [Account],
) -> Result<Option<&'a Account>, Answer> {
    for account in accounts {
        let mut limited = account.limited_tokens.iter();
        if let Some(limited) = limited.find(|limited| limited.token == token) {
            return within_limits(request, limited).map(|()| Some(account));
        }
    }
    let found = accounts
        .iter()
        .find(|account| account.token.as_deref() == Some(token));
    if found.is_some() || has_valid_checksum(token) {
        return Ok(found);
    }
    let refused = Answer::message(400, "Checksum validation failed");
    Err(refused.with("WWW-Authenticate", "ApiToken"))
}

/// The limits of a token, in the order in which they were seen to be named.
fn within_limits(request: &Incoming, token: &LimitedToken) -> Result<(), Answer> {
    let any_of = |allowed: &[String], given: &str| {
        allowed.is_empty() || allowed.iter().any(|allowed| allowed == given)
    };
    let why = if token.expired {
        "token has expired."
    } else if !any_of(&token.methods, &request.method) {
        "request http method is not allowed."
    } else if !any_of(&token.addresses, "127.0.0.1") {
        "request ip address is not allowed."
    } else {
        return Ok(());
    };
    let refused = unauthorized(&format!("Failed to authenticate API token, {why}"));
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
