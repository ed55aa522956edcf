//! A request taken apart: path, query, headers and the body unpacked.

use std::io::Read;

use flate2::read::{DeflateDecoder, GzDecoder};

use super::http::Incoming;

/// The query of a URL, in its order, decoded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(text: &str) -> Query {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Query(
            pairs
                .map(|(name, value)| (decode(name), decode(value)))
                .collect(),
        )
    }

    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl DoubleEndedIterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(key, _)| key == name);
        named.map(|(_, value)| value.as_str())
    }

    /// Repeated parameters, each of which may also be a list with commas.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let parts = self.all(name).flat_map(|value| value.split(','));
        let parts = parts.map(str::trim).filter(|part| !part.is_empty());
        let mut list: Vec<String> = Vec::new();
        for part in parts {
            if !list.iter().any(|held| held == part) {
                list.push(part.to_owned());
            }
        }
        list
    }

    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.first(name) == Some("true")
    }

    /// The other parameters as DHIS2 repeats them in links to further pages.
    pub(crate) fn without(&self, names: &[&str]) -> String {
        let others = self
            .0
            .iter()
            .filter(|(name, _)| !names.contains(&name.as_str()));
        others
            .map(|(name, value)| format!("&{name}={value}"))
            .collect()
    }
}

/// The body's bytes, unpacked if they are gzip or zip: DHIS2 looks at the first bytes, whatever the headers say.
pub(crate) fn unpacked(request: &Incoming) -> Vec<u8> {
    let packed = request.body.as_slice();
    let mut plain = Vec::new();
    let read = match packed {
        [0x1f, 0x8b, ..] => GzDecoder::new(packed).read_to_end(&mut plain),
        [b'P', b'K', 3, 4, ..] => match zip_entry(packed) {
            Some((8, data)) => DeflateDecoder::new(data).read_to_end(&mut plain),
            Some((_, data)) => return data.to_vec(),
            None => return packed.to_vec(),
        },
        _ => return packed.to_vec(),
    };
    match read {
        Ok(_) => plain,
        Err(_) => packed.to_vec(),
    }
}

/// The first entry of a zip archive: its method and the data from its start.
fn zip_entry(archive: &[u8]) -> Option<(u16, &[u8])> {
    let short = |at: usize| {
        Some(u16::from_le_bytes(
            archive.get(at..at + 2)?.try_into().ok()?,
        ))
    };
    let size = u32::from_le_bytes(archive.get(18..22)?.try_into().ok()?) as usize;
    let start = 30 + usize::from(short(26)?) + usize::from(short(28)?);
    let method = short(8)?;
    // Stored entries end after their size; deflated ones say themselves where they end.
    let data = archive.get(start..)?;
    let data = if method == 0 { data.get(..size)? } else { data };
    Some((method, data))
}

/// Percent-decoding of a URL's part, with `+` for a space.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                let code = std::str::from_utf8(&digits).ok();
                let code = code.and_then(|code| u8::from_str_radix(code, 16).ok());
                bytes.push(code.unwrap_or(b'%'));
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
