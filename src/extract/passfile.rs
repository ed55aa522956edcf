//! libpq's password file (<https://www.postgresql.org/docs/current/libpq-pgpass.html>), without opening it.

use secrecy::SecretString;

/// The password of the first line `host:port:database:user:password` that fits; `*` fits everything, `\` takes the next character as
/// it is, and lines that begin with `#` are comments.
pub(crate) fn password_from_passfile(
    text: &str,
    host: &str,
    port: u16,
    database: &str,
    user: &str,
) -> Option<SecretString> {
    let port = port.to_string();
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| {
            let mut rest = line;
            for wanted in [host, port.as_str(), database, user] {
                let (field, behind) = field(rest);
                if field.written != "*" && field.meant != wanted {
                    return None;
                }
                rest = behind?;
            }
            let (password, _) = field(rest);
            Some(SecretString::from(password.meant)).filter(|_| !password.written.is_empty())
        })
}

struct Field<'a> {
    written: &'a str,
    meant: String,
}

/// The text before the first colon that no backslash escapes, and what is behind that colon.
fn field(line: &str) -> (Field<'_>, Option<&str>) {
    let mut meant = String::new();
    let mut characters = line.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            ':' => {
                let (written, behind) = line.split_at_checked(index).unwrap_or((line, ""));
                return (Field { written, meant }, behind.strip_prefix(':'));
            }
            '\\' => meant.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => meant.push(character),
        }
    }
    (
        Field {
            written: line,
            meant,
        },
        None,
    )
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::password_from_passfile;

    const FILE: &str = "# host:port:database:user:password
db.example:5432:sluhis:sync:first
db.example:*:sluhis:sync:second
\\:\\:1:5432:*:sync:with\\:colon\\\\ and # sign
*:*:*:other:anywhere
*:*:*:empty:
short:line
";

    #[track_caller]
    fn check(host: &str, port: u16, user: &str, password: Option<&str>) {
        let found = password_from_passfile(FILE, host, port, "sluhis", user);
        assert_eq!(found.as_ref().map(ExposeSecret::expose_secret), password);
    }

    #[test]
    fn the_first_line_that_fits_gives_the_password() {
        check("db.example", 5432, "sync", Some("first"));
        check("db.example", 5433, "sync", Some("second"));
        check("elsewhere", 1, "other", Some("anywhere"));
        check("elsewhere", 1, "sync", None);
        check("elsewhere", 1, "empty", None);
    }

    #[test]
    fn a_backslash_takes_a_colon_or_a_backslash_as_it_is() {
        check("::1", 5432, "sync", Some("with:colon\\ and # sign"));
    }

    #[test]
    fn an_escaped_asterisk_is_an_asterisk() {
        assert!(password_from_passfile("\\*:1:d:u:p", "h", 1, "d", "u").is_none());
        assert!(password_from_passfile("\\*:1:d:u:p", "*", 1, "d", "u").is_some());
    }
}
