// Filing messages: the one way by which they get into their conversations.
#include "conversations/messages.hpp"

#include "conversations/edit.hpp"
#include "identity/uuid_v7.hpp"
#include "postgres/arguments.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "postgres/uuid.hpp"
#include "users/user_row.hpp"

namespace companion {

// The foreign keys refuse what belongs to another user, or to nobody. Each of these returns what a
// row is found by.
static Statement insert_one{R"sql(
    INSERT INTO companion.messages AS m
        (user_id, id, conversation_id, role, content, reply_to_id, metadata)
    VALUES ($1, $2, $3, $4, $5, $6, coalesce($7, '{}'))
    RETURNING m.user_id, m.id, m.conversation_id)sql",  UUIDOID, UUIDOID, UUIDOID,
                            TEXTOID, TEXTOID, UUIDOID, JSONBOID};

static Statement insert_one_with_id{R"sql(
    INSERT INTO companion.messages AS m
        (user_id, id, conversation_id, role, content, reply_to_id, metadata, telegram_message_id,
         external_id, channel, bot, address)
    VALUES ($1, $2, $3, $4, $5, $6, coalesce($7, '{}'), $8, $9, $10, $11, $12)
    RETURNING m.user_id, m.id, m.conversation_id, m.telegram_message_id, m.external_id)sql",
                                    UUIDOID,
                                    UUIDOID,
                                    UUIDOID,
                                    TEXTOID,
                                    TEXTOID,
                                    UUIDOID,
                                    JSONBOID,
                                    INT8OID,
                                    TEXTOID,
                                    TEXTOID,
                                    TEXTOID,
                                    TEXTOID};

static Statement insert_sent{R"sql(
    INSERT INTO companion.messages AS m
        (user_id, id, conversation_id, role, content, metadata, telegram_message_id, external_id,
         channel, bot, address)
    SELECT user_id, id, conversation_id, 'assistant', content, coalesce(metadata, '{}'),
           telegram_message_id, external_id, channel, bot, address
    FROM given
    RETURNING m.user_id, m.id, m.conversation_id, m.telegram_message_id, m.external_id)sql"};

static Statement insert_sent_without_ids{R"sql(
    INSERT INTO companion.messages AS m (user_id, id, conversation_id, role, content, metadata)
    SELECT user_id, id, conversation_id, 'assistant', content, coalesce(metadata, '{}')
    FROM given
    RETURNING m.user_id, m.id, m.conversation_id)sql"};

// Of some messages the newest with this role and a text that it has, or had before an edit.
static Statement find_same{R"sql(
    SELECT m.id, m.conversation_id FROM companion.messages AS m
    WHERE m.user_id = $1 AND m.id = ANY ($2) AND m.role = $3
        AND (m.content = $4 OR EXISTS (
            SELECT FROM jsonb_array_elements(CASE jsonb_typeof(m.metadata -> 'edits')
                                                 WHEN 'array' THEN m.metadata -> 'edits'
                                                 ELSE '[]' END) AS e (edit)
            WHERE e.edit ->> 'content' = $4))
    ORDER BY m.id DESC LIMIT 1
)sql",
                           UUIDOID, UUIDARRAYOID, TEXTOID, TEXTOID};

static Statement set_last_user_message{R"sql(
    UPDATE companion.users SET last_user_message_at = companion.now()
    WHERE id = $1 AND (last_user_message_at IS NULL OR last_user_message_at < companion.now())
)sql",
                                       UUIDOID};

[[noreturn]] static void refuse_changed_message()
{
    refuse_changed("messages", "user_id, id, conversation_id, telegram_message_id or external_id");
}

void check_message(const NewMessage &message)
{
    check_messenger_id(message.messenger_id);
    if (message.metadata.isnull)
        return;
    Jsonb *metadata = DatumGetJsonbP(message.metadata.value);
    check_object("metadata", metadata);
    check_json_size("metadata", metadata);
}

bool find_delivered(const NewMessage &message, Delivered *first)
{
    if (!message.messenger_id.is_given())
        return false;
    const NullableDatum ids = messages_in_chat(message.user_id, message.chat, message.messenger_id);
    if (ids.isnull ||
        find_same.execute({message.user_id, ids.value, message.role, message.content}) == 0)
        return false;
    *first = {*DatumGetUUIDP(result_field(0, 1)), *DatumGetUUIDP(result_field(0, 2))};
    return true;
}

// Which message is replied to; null for none.
static NullableDatum reply_of(const NewMessage &message)
{
    if (!message.reply_to.is_given())
        return message.reply_to_id;
    auto *id = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
    const bool is_found = find_in_chat(message.user_id, message.chat, message.reply_to, id);
    return {UUIDPGetDatum(id), !is_found};
}

static uint64 insert_without_id(const NewMessage &message, const pg_uuid_t *id)
{
    const NullableDatum reply = reply_of(message);
    const char nulls[] = {' ', ' ', ' ', ' ', ' ', null_flag(reply), null_flag(message.metadata)};
    return insert_one.execute({message.user_id, UUIDPGetDatum(id), message.conversation_id,
                               message.role, message.content, reply.value, message.metadata.value},
                              nulls);
}

static uint64 insert_with_id(const NewMessage &message, const pg_uuid_t *id)
{
    const NullableDatum reply = reply_of(message), telegram_id = message.messenger_id.telegram,
                        external_id = message.messenger_id.external;
    const Chat &chat = message.chat;
    const char nulls[] = {' ',
                          ' ',
                          ' ',
                          ' ',
                          ' ',
                          null_flag(reply),
                          null_flag(message.metadata),
                          null_flag(telegram_id),
                          null_flag(external_id),
                          ' ',
                          ' ',
                          ' '};
    return insert_one_with_id.execute({message.user_id, UUIDPGetDatum(id), message.conversation_id,
                                       message.role, message.content, reply.value,
                                       message.metadata.value, telegram_id.value, external_id.value,
                                       chat.channel, chat.bot, chat.address},
                                      nulls);
}

// Refuse a row of the last result that is not found by these any more. Error 09000.
static void require_ids(int row, Datum user, Datum message, Datum conversation)
{
    if (!is_same_uuid(result_field(row, 1), user) || !is_same_uuid(result_field(row, 2), message) ||
        !is_same_uuid(result_field(row, 3), conversation))
        refuse_changed_message();
}

// The same for its messenger's id.
static void require_messenger_id(int row, const MessengerId &id)
{
    const auto is_as_given = [row](int column, NullableDatum given, bool is_by_value, int length) {
        bool is_null;
        const Datum stored = result_field(row, column, &is_null);
        return is_null == given.isnull &&
               (is_null || datum_image_eq(stored, given.value, is_by_value, length));
    };
    if (!is_as_given(4, id.telegram, true, sizeof(int64)) ||
        !is_as_given(5, id.external, false, -1))
        refuse_changed_message();
}

pg_uuid_t store_message(const NewMessage &message)
{
    const pg_uuid_t *id = uuid_v7();
    const bool has_id = message.messenger_id.is_given();
    if ((has_id ? insert_with_id(message, id) : insert_without_id(message, id)) == 0)
        refuse_suppressed("messages");
    require_ids(0, message.user_id, UUIDPGetDatum(id), message.conversation_id);
    if (has_id) {
        require_messenger_id(0, message.messenger_id);
        apply_early_edit(message.user_id, UUIDPGetDatum(id), message.chat, message.messenger_id);
    }
    if (text_view(message.role) == "user")
        set_last_user_message.execute({message.user_id});
    return *id;
}

FiledMessage file_message(const NewMessage &message)
{
    if (message.messenger_id.is_given())
        lock_user(message.user_id);
    if (Delivered first; find_delivered(message, &first))
        return {first.id, false};
    return {store_message(message), true};
}

// The metadata, or an object without any, and in it from how many characters a text was cut.
static Datum with_cut(NullableDatum metadata, int length)
{
    const char *cut = psprintf("{\"cut_from\": %d}", length);
    const Datum note = DirectFunctionCall1(jsonb_in, CStringGetDatum(cut));
    return metadata.isnull ? note : DirectFunctionCall2(jsonb_concat, metadata.value, note);
}

// A text as it is stored, and its metadata.
struct SentText {
    Datum content;
    NullableDatum metadata;
};

// Cut a text that has more than companion.max_message_length characters: what has been sent is
// not refused.
static SentText fit(Datum content, NullableDatum metadata)
{
    const std::string_view text = text_view(content);
    const int length = character_count(text);
    if (length <= settings::max_message_length)
        return {content, metadata};
    const int size =
        pg_mbcharcliplen(text.data(), static_cast<int>(text.size()), settings::max_message_length);
    return {to_text({text.data(), static_cast<std::size_t>(size)}),
            {with_cut(metadata, length), false}};
}

// The columns of the given messages; those of the chat for messages with an id only.
enum Column {
    user_id,
    id,
    conversation_id,
    content,
    metadata,
    telegram_message_id,
    external_id,
    channel,
    bot,
    address
};

SentMessages::SentMessages()
    : without_ids_{{"user_id", UUIDOID},
                   {"id", UUIDOID},
                   {"conversation_id", UUIDOID},
                   {"content", TEXTOID},
                   {"metadata", JSONBOID}},
      with_ids_{{"user_id", UUIDOID},     {"id", UUIDOID},        {"conversation_id", UUIDOID},
                {"content", TEXTOID},     {"metadata", JSONBOID}, {"telegram_message_id", INT8OID},
                {"external_id", TEXTOID}, {"channel", TEXTOID},   {"bot", TEXTOID},
                {"address", TEXTOID}}
{
}

void SentMessages::add(const SentMessage &message)
{
    const SentText text = fit(message.content, message.metadata);
    const NullableDatum user{message.user_id}, own_id{message.id},
        conversation{message.conversation_id}, sent{text.content};
    const MessengerId &given = message.messenger_id;
    const Chat &chat = message.chat;
    if (given.is_given())
        with_ids_.add({user,
                       own_id,
                       conversation,
                       sent,
                       text.metadata,
                       given.telegram,
                       given.external,
                       {chat.channel},
                       {chat.bot},
                       {chat.address}});
    else
        without_ids_.add({user, own_id, conversation, sent, text.metadata});
}

// Refuse what a trigger has made of the rows that were inserted, the last result. Error 09000.
static void require_stored(const Given &messages, uint64 stored, bool have_ids)
{
    if (stored < static_cast<uint64>(messages.size()))
        refuse_suppressed("messages");
    for (int row = 0; row < messages.size(); row++) {
        const auto given = [&](Column column) { return messages.at(row, column); };
        require_ids(row, given(user_id).value, given(id).value, given(conversation_id).value);
        if (have_ids)
            require_messenger_id(row, {given(telegram_message_id), given(external_id)});
    }
}

static void apply_early_edits(const Given &messages)
{
    for (int index = 0; index < messages.size(); index++) {
        const auto value = [&](Column column) { return messages.at(index, column); };
        apply_early_edit(value(user_id).value, value(id).value,
                         {value(channel).value, value(bot).value, value(address).value},
                         {value(telegram_message_id), value(external_id)});
    }
}

void SentMessages::file() const
{
    if (without_ids_.size() > 0)
        require_stored(without_ids_, insert_sent_without_ids.execute(without_ids_, {}), false);
    if (with_ids_.size() == 0)
        return;
    require_stored(with_ids_, insert_sent.execute(with_ids_, {}), true);
    apply_early_edits(with_ids_);
}

void check_content(std::string_view content)
{
    const int length = character_count(content);
    if (length < 1 || length > settings::max_message_length)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("content has %d characters, expected 1 to %d", length,
                       settings::max_message_length),
                errhint("The most is the setting companion.max_message_length."));
}

} // namespace companion
