//! Accounts, what they may do, and DHIS2's sharing of objects with them.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::metadata::Metadata;

/// The accounts of the recordings: a superuser `admin`/`district`, and `loader`, `regional` and `reader`.
pub(crate) const DEFAULT_ACCOUNTS: &str = include_str!("../../../golden/exchanges/accounts.json");

/// A user of the stand-in, as an accounts file lists it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) username: String,
    pub(crate) password: String,
    /// A personal access token, whole.
    pub(crate) token: Option<String>,
    /// Further tokens, each with its limits.
    #[serde(default)]
    pub(crate) limited_tokens: Vec<LimitedToken>,
    #[serde(default)]
    pub(crate) authorities: Vec<String>,
    /// Ids of user roles in the metadata, whose authorities the account has as well.
    #[serde(default)]
    user_roles: Vec<String>,
    /// Units for data capture, with all below them.
    #[serde(default)]
    pub(crate) organisation_units: Vec<String>,
    /// Units for data viewing; none means those for capture.
    data_view_organisation_units: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) user_groups: Vec<String>,
    pub(crate) first_name: Option<String>,
    pub(crate) surname: Option<String>,
    #[serde(default)]
    pub(crate) disabled: bool,
}

/// A personal access token that is good for some requests only.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LimitedToken {
    pub(crate) token: String,
    /// The methods it is good for; none means all.
    #[serde(default)]
    pub(crate) methods: Vec<String>,
    /// The addresses it is good for; none means all.
    #[serde(default)]
    pub(crate) addresses: Vec<String>,
    #[serde(default)]
    pub(crate) expired: bool,
}

impl Account {
    /// Adds the authorities of the account's roles.
    pub(crate) fn take_roles(&mut self, metadata: &Metadata) -> Result<(), String> {
        for id in &self.user_roles {
            let role = metadata
                .get("userRoles", id)
                .ok_or_else(|| format!("{} has an unknown role {id}", self.username))?;
            let authorities = role.get("authorities").and_then(Value::as_array);
            let authorities = authorities.into_iter().flatten().filter_map(Value::as_str);
            self.authorities.extend(authorities.map(str::to_owned));
        }
        Ok(())
    }

    pub(crate) fn is_super(&self) -> bool {
        self.authorities.iter().any(|authority| authority == "ALL")
    }

    pub(crate) fn has(&self, authority: &str) -> bool {
        self.is_super() || self.authorities.iter().any(|held| held == authority)
    }

    pub(crate) fn view_units(&self) -> &[String] {
        self.data_view_organisation_units
            .as_deref()
            .unwrap_or(&self.organisation_units)
    }

    /// First name and surname; the username twice where the file gives none, as DHIS2's first account has it.
    pub(crate) fn name(&self) -> String {
        let part = |given: &Option<String>| given.clone().unwrap_or_else(|| self.username.clone());
        format!("{} {}", part(&self.first_name), part(&self.surname))
    }
}

/// What one may do with an object: a place in DHIS2's access string (`rwrw----`).
#[derive(Clone, Copy)]
pub(crate) enum Right {
    Read = 0,
    Write = 1,
    DataRead = 2,
    DataWrite = 3,
}

/// Who may do what with an object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sharing {
    public: String,
    users: HashMap<String, String>,
    groups: HashMap<String, String>,
}

impl Sharing {
    /// Reads an object's `sharing`. Without one DHIS2 gives everybody metadata access and nobody data access.
    pub(crate) fn of(object: &serde_json::Map<String, Value>) -> Sharing {
        let Some(sharing) = object.get("sharing") else {
            return Sharing {
                public: "rw------".to_owned(),
                ..Sharing::default()
            };
        };
        let public = sharing.get("public").and_then(Value::as_str);
        Sharing {
            public: public.unwrap_or("--------").to_owned(),
            users: grants(sharing.get("users")),
            groups: grants(sharing.get("userGroups")),
        }
    }

    pub(crate) fn allows(&self, account: &Account, right: Right) -> bool {
        let letter = match right {
            Right::Read | Right::DataRead => b'r',
            Right::Write | Right::DataWrite => b'w',
        };
        let grants = |access: &String| access.as_bytes().get(right as usize) == Some(&letter);
        account.is_super()
            || grants(&self.public)
            || self.users.get(&account.id).is_some_and(grants)
            || self
                .groups
                .iter()
                .any(|(group, access)| grants(access) && account.user_groups.contains(group))
    }
}

fn grants(value: Option<&Value>) -> HashMap<String, String> {
    let entries = value.and_then(Value::as_object).into_iter().flatten();
    entries
        .filter_map(|(id, grant)| {
            let access = grant.get("access")?.as_str()?;
            Some((id.clone(), access.to_owned()))
        })
        .collect()
}
