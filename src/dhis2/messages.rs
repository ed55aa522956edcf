//! DHIS2's own messages, which reach people where they work.

use serde_json::json;

use super::Dhis2;
use super::error::{Dhis2Error, Kind};

impl Dhis2 {
    /// Sends a message to the members of a user group. An account that may import may do so (recorded from 2.42.5 and
    /// 2.43.1: `POST /api/messageConversations`, answered by 201). Not tried again: nobody wants it twice.
    pub(crate) fn send_message(
        &mut self,
        subject: &str,
        text: &str,
        user_group: &str,
    ) -> Result<(), Dhis2Error> {
        let message = json!({
            "subject": subject,
            "text": text,
            "userGroups": [{ "id": user_group }],
        });
        let json = message.to_string();
        let doing = format!("sending a message to the user group {user_group}");
        let answer = self.post(&doing, "messageConversations", &[], json.as_bytes())?;
        match answer.status {
            409 => Err(Dhis2Error::new(
                Kind::Target,
                format!(
                    "{doing}: DHIS2 refused it (409); is there such a group, and somebody in it?"
                ),
            )),
            _ => Ok(()),
        }
    }
}
