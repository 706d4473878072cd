// Other texts for messages that are stored, or still to come.
#pragma once

#include "conversations/chat.hpp"

namespace companion {

// Replace a message's text; the one that it had is kept with it. The same text again changes
// nothing. Error 09000 where a trigger suppresses it or changes what the message is found by.
// Within with_spi(), as all of these.
void replace_text(Datum user_id, Datum message_id, Datum content);

// An edit may come before its message: keep it for the message with this id, in the place of one
// that is kept already. The user's row is locked.
void keep_early_edit(Datum user_id, const Chat &chat, const MessengerId &id, Datum content);

// Replace the text of a message that has just been stored by what is kept for it, if anything is.
void apply_early_edit(Datum user_id, Datum message_id, const Chat &chat, const MessengerId &id);

} // namespace companion
