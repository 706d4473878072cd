// The messages that a worker has claimed, and what it is told of them.
//
// Each is looked up without a plan: to set one up for two rows would be half of what a claim costs.
#include "sending/claimed.hpp"

#include "channels/usable.hpp"
#include "policy/closed.hpp"
#include "policy/pause.hpp"
#include "policy/put_off.hpp"
#include "policy/reply_window.hpp"
#include "policy/throttles.hpp"
#include "postgres/arguments.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "sending/readdress.hpp"

namespace companion {

static Statement drop_orphans{R"sql(
    DELETE FROM companion.dispatch_queue AS q USING given AS claimed
    WHERE q.user_id = claimed.user_id AND q.message_id = claimed.message_id
        AND NOT EXISTS (SELECT FROM companion.scheduled_messages AS m
                        JOIN companion.users AS u ON u.id = m.user_id
                        WHERE m.user_id = q.user_id AND m.id = q.message_id)
)sql"};

// The columns of the result.
enum {
    user_id,
    message_id,
    attempt,
    kind,
    local_date,
    scheduled_for,
    late_by,
    channel,
    address,
    display_name,
    companion_name,
    support_style,
    timezone,
    content,
    generation_context,
    bot,
    addresses,
    longest_text,
    send_before,
    tries,
    location,
    preferences,
    email,
    priority_level,
    topic_key,
    result_columns,
};

// What is looked up for each message, in two tables.
class Description {
  public:
    // Look a message up; false where it or its user is gone.
    bool find(Datum user, Datum message)
    {
        const Datum key[] = {user, message};
        return messages_.find(key, 2) && users_.find(user);
    }

    // Why the user is not to have the message, being suspended or paused; null where they are.
    const char *reason_against() const
    {
        const TimestampTz at = DatumGetTimestampTz(at_);
        const NullableDatum suspended = users_.get(suspended_until_),
                            paused = users_.get(paused_until_);
        if (!suspended.isnull && DatumGetTimestampTz(suspended.value) > at)
            return psprintf("the user is suspended until %s",
                            timestamptz_to_str(DatumGetTimestampTz(suspended.value)));
        return paused.isnull ? nullptr
                             : paused_reason(text_view(messages_.get(kind_).value), paused, at);
    }

    // The result's columns, but for those of the queue.
    void fill(NullableDatum *row)
    {
        for (const auto &[column, number] : message_columns_)
            row[column] = messages_.get(number);
        for (const auto &[column, number] : user_columns_)
            row[column] = users_.get(number);
        row[late_by] = {DirectFunctionCall2(timestamp_mi, at_, row[scheduled_for].value), false};
        fill_destination(row);
    }

    // Whether the user has not written for too long to be written to there.
    bool is_window_closed(const NullableDatum *row, TimestampTz at) const
    {
        return has_windows_ &&
               companion::is_window_closed(
                   *DatumGetUUIDP(row[user_id].value), text_view(row[channel].value),
                   UsableAddresses(users_.get(usable_addresses_)), text_view(row[kind].value), at);
    }

    void close()
    {
        users_.close();
        messages_.close();
    }

  private:
    // Where it goes, and how long it may be there.
    void fill_destination(NullableDatum *row) const
    {
        const std::string_view name = text_view(row[channel].value);
        const Destination destination = UsableAddresses(users_.get(usable_addresses_))
                                            .on(name, *DatumGetUUIDP(row[user_id].value));
        row[bot] = destination.bot;
        row[address] = destination.address;
        row[addresses] = destination.addresses;
        const Channel *known = find_channel(name);
        const int longest = known == nullptr ? 0 : known->longest_text;
        row[longest_text] = {Int32GetDatum(longest), longest == 0};
    }

    struct Column {
        int column;
        AttrNumber number;
    };

    const Datum at_ = TimestampTzGetDatum(now());
    Lookup messages_{"scheduled_messages", "scheduled_messages_pkey"};
    Lookup users_{"users", "users_pkey", Lookup::Seen::newest}; // where it goes is told as of now
    const Column message_columns_[8] = {
        {kind, messages_.column("kind")},
        {local_date, messages_.column("local_date")},
        {scheduled_for, messages_.column("scheduled_for")},
        {channel, messages_.column("channel")},
        {content, messages_.column("content")},
        {generation_context, messages_.column("generation_context")},
        {priority_level, messages_.column("priority_level")},
        {topic_key, messages_.column("topic_key")}};
    const Column user_columns_[7] = {{display_name, users_.column("display_name")},
                                     {companion_name, users_.column("companion_name")},
                                     {support_style, users_.column("support_style")},
                                     {timezone, users_.column("timezone")},
                                     {location, users_.column("location")},
                                     {preferences, users_.column("preferences")},
                                     {email, users_.column("email")}};
    const AttrNumber kind_ = messages_.column("kind");
    const AttrNumber suspended_until_ = users_.column("suspended_until"),
                     paused_until_ = users_.column("checkin_paused_until");
    const bool has_windows_ = have_reply_windows();
    const AttrNumber usable_addresses_ = users_.column("usable_addresses");
};

static void put(const NullableDatum *row, ReturnSetInfo *result)
{
    Datum values[result_columns];
    bool nulls[result_columns];
    for (int column = 0; column < result_columns; column++) {
        values[column] = row[column].value;
        nulls[column] = row[column].isnull;
    }
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

// Until when the bot that a message goes by is to send nothing.
static TimestampTz throttled_until(const NullableDatum *row)
{
    if (!have_throttles())
        return DT_NOBEGIN;
    return last_throttle_end(text_view(row[channel].value), text_view(row[bot].value));
}

// A message by a bot that is throttled waits, an hour at most, after which it is looked at again:
// somebody may have taken the throttle away.
static void wait_for_throttle(const NullableDatum *row, TimestampTz until, TimestampTz at,
                              PutOff &put_off)
{
    const TimestampTz last =
        row[send_before].isnull ? DT_NOEND : DatumGetTimestampTz(row[send_before].value);
    put_off.add(
        row[user_id].value, row[message_id].value, Min(Min(until, last), at + USECS_PER_HOUR),
        CStringGetTextDatum(psprintf("the bot is throttled until %s", timestamptz_to_str(until))));
}

// A message to a user who has not written for too long: it is settled, or waits for that.
static void close_window(const NullableDatum *row, TimestampTz at, Closed &closed, PutOff &put_off)
{
    const std::string_view of = text_view(row[kind].value), on = text_view(row[channel].value);
    const pg_uuid_t &user = *DatumGetUUIDP(row[user_id].value);
    const Otherwise otherwise = kind_of(of).when_closed;
    const TimestampTz last =
        row[send_before].isnull ? DT_NOEND : DatumGetTimestampTz(row[send_before].value);
    if (otherwise == Otherwise::skip ||
        (otherwise == Otherwise::fall_back && has_next_open(user, on, of, at)))
        closed.add(row[user_id].value, row[message_id].value, row[attempt].value, row[kind].value,
                   row[channel].value, window_reason(on));
    else
        put_off.add(row[user_id].value, row[message_id].value, wait_for_reply(last, at),
                    window_reason(on));
}

void Claimed::add(const QueueRow &row)
{
    messages_.add({{UUIDPGetDatum(&row.user_id)},
                   {UUIDPGetDatum(&row.message_id)},
                   {Int32GetDatum(row.attempt)},
                   {TimestampTzGetDatum(row.send_before), TIMESTAMP_IS_NOEND(row.send_before)},
                   {Int32GetDatum(row.tries)}});
}

void Claimed::return_to(ReturnSetInfo *result, Unwanted &unwanted) const
{
    Given orphans{{"user_id", UUIDOID}, {"message_id", UUIDOID}};
    ArrayBuilder unreachable(UUIDOID);
    PutOff put_off;
    Closed closed;
    Description description;
    const TimestampTz at = now();
    for (int index = 0; index < size(); index++) {
        NullableDatum row[result_columns] = {messages_.at(index, user_id),
                                             messages_.at(index, message_id),
                                             messages_.at(index, attempt)};
        if (!description.find(row[user_id].value, row[message_id].value))
            orphans.add({row[user_id], row[message_id]});
        else if (const char *reason = description.reason_against())
            unwanted.add(row[user_id].value, row[message_id].value, CStringGetTextDatum(reason));
        else {
            description.fill(row);
            row[send_before] = messages_.at(index, 3);
            row[tries] = messages_.at(index, 4);
            if (row[address].isnull)
                unreachable.add(row[user_id]);
            else if (const TimestampTz until = throttled_until(row); until > at)
                wait_for_throttle(row, until, at, put_off);
            else if (description.is_window_closed(row, at))
                close_window(row, at, closed, put_off);
            else
                put(row, result);
        }
    }
    description.close();
    unwanted.skip();
    put_off.give_back();
    closed.settle(at);
    readdress_free(unreachable);
    if (orphans.size() > 0 &&
        drop_orphans.execute_newest(orphans, {}) < static_cast<uint64>(orphans.size()))
        refuse_suppressed("dispatch_queue");
}

} // namespace companion
