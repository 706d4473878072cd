// Written by script/docs from the catalog: what companion's functions take and return, as node-postgres has it.
// `SELECT * FROM companion.<name>(...)` returns rows of Functions[name]["row"].

/** Whatever JSON has; a date is written as its text. */
export type Json = string | number | boolean | null | Date | Json[] | { [key: string]: Json | undefined };

/** An interval as node-postgres reads it: what is zero is left out. */
export interface Interval {
  years?: number;
  months?: number;
  days?: number;
  hours?: number;
  minutes?: number;
  seconds?: number;
  milliseconds?: number;
}

/** An item as functions return it: columns of user_context, in its order. */
export interface ContextItem {
  /** Whom it is about. */
  user_id: string | null;
  /** Time-ordered id. */
  id: string | null;
  /** What kind of fact it is; the app's own words. context_categories says how it is treated; follow_up is read by due_follow_ups(). */
  category: string | null;
  /** Which fact within the category. */
  key: string | null;
  /** The fact. */
  value: string | null;
  /** From 0 to 1. */
  importance: number | null;
  /** From -2 (painful) to 2 (joyful). */
  emotional_valence: number | null;
  /** Where the value comes from: user (the user said so), pinned, extracted (by a model), or the app's own word. */
  source: string | null;
  /** The message that it was learned from, one of the same user's. */
  source_message_id: string | null;
  /** The app's own data, a JSON object. follow_up_on is the local date, YYYY-MM-DD, on which to ask about it. */
  metadata: Json | null;
  /** Whether it always comes first. */
  pinned: boolean | null;
  /** When it stops being true; NULL: never. */
  expires_at: Date | null;
  /** When an open thread was settled or a follow-up asked; no longer recalled. */
  resolved_at: Date | null;
  /** How often the value was stated, the first time included. */
  confirmations: number | null;
  /** When the value was last stated. */
  confirmed_at: Date | null;
  /** When it was last used or stated: the later of last_used_at and confirmed_at. */
  last_referenced_at: Date | null;
  /** Since when this value has held. */
  value_since: Date | null;
  /** The value that the last upsert superseded; NULL: none, it stated the same or a new item. */
  previous_value: string | null;
  /** The source before the last upsert. */
  previous_source: string | null;
  /** value_since before the last upsert. */
  previous_since: Date | null;
  /** The value that the last upsert gave and that was not taken, because the user's word stands; NULL: the last upsert was taken. */
  contradicted_by: string | null;
  /** When it was first learned. */
  created_at: Date | null;
  /** When the row last changed. */
  updated_at: Date | null;
  /** When the value was last used, by touch_user_context(); NULL: never. */
  last_used_at: Date | null;
}

/** A message as functions return it: the columns of messages, in its order. */
export interface StoredMessage {
  /** Whose conversation it is in. */
  user_id: string | null;
  /** Time-ordered id: a UUID of version 7. */
  id: string | null;
  /** The conversation, one of the same user's. */
  conversation_id: string | null;
  /** Who wrote it: user, assistant or system. */
  role: string | null;
  /** The text. */
  content: string | null;
  /** Telegram's id of the message, within its chat (channel, bot, address); of several messages with one it is the newest's. */
  telegram_message_id: string | null;
  /** The message that this one answers, one of the same user's. */
  reply_to_id: string | null;
  /** When the text was last edited; to be set by whoever changes content, as edit_message does. */
  edited_at: Date | null;
  /** The app's own data, a JSON object; edits, where the message was edited, is an array of its earlier texts: content and written_at; cut_from, where what was sent was cut, is how many characters it had. */
  metadata: Json | null;
  /** When it was written. */
  created_at: Date | null;
  /** Another messenger's id of the message (WhatsApp's wamid), within its chat, as telegram_message_id; 1 to 512 characters, none of them a control character. */
  external_id: string | null;
  /** The channel of the chat that telegram_message_id or external_id is of; NULL where the message has neither, or is of an unknown chat. */
  channel: string | null;
  /** The bot of that chat; empty where none was named. */
  bot: string | null;
  /** The address of that chat; empty where none was known. */
  address: string | null;
}

/** One row a user, the tenant. Its id is the auth system's user id. */
export interface Users {
  /** The auth system's user id; a new_user_id() where there is none. */
  id: string;
  /** E-mail address, as the auth system has it. */
  email: string | null;
  /** What the companion calls the user. */
  display_name: string | null;
  /** What the user calls the companion. */
  companion_name: string | null;
  /** How the user wants to be spoken to; the app's own words. */
  support_style: string | null;
  /** IANA time zone name; checked, and stored in its own spelling. */
  timezone: string;
  /** Wall time of the daily check-in; NULL opts out. */
  checkin_time: string | null;
  /** ISO weekdays, 1 (Monday) to 7, on which the check-in comes; stored in order, each once. */
  checkin_days: (number | null)[];
  /** No check-in that is due before this time. */
  checkin_paused_until: Date | null;
  /** Where the companion writes first, if it can; NULL, or where it cannot: the first that is usable by channels.rank. */
  preferred_channel: string | null;
  /** The user's own Telegram account. It, whatsapp_number and email are addresses of theirs as well, which a trigger links and unlinks; where another user has it as an address, it stays theirs, with a WARNING. */
  telegram_user_id: string | null;
  /** Telegram's @name at the time of linking, without the @. */
  telegram_username: string | null;
  /** When the Telegram account was linked. */
  telegram_linked_at: Date | null;
  /** Phone number in E.164 form, with the +. */
  whatsapp_number: string | null;
  /** free, trial, active, past_due or canceled. */
  subscription_status: string;
  /** When the subscription ends. */
  subscription_expires_at: Date | null;
  /** The app's own settings, a JSON object; up to companion.max_json_size. */
  preferences: Json;
  /** Where the user lives, in the user's words. */
  location: string | null;
  /** No check-in that is due before this time; NULL: none at all. */
  onboarding_completed_at: Date | null;
  /** When the user last wrote, on whichever channel. */
  last_user_message_at: Date | null;
  /** When the row was made. */
  created_at: Date;
  /** When the row last changed, usable_addresses apart; kept by a trigger. */
  updated_at: Date;
  /** No check-in that is due before this time, and what is claimed before it is skipped; infinity: for good. What a followed auth table says of deleted and banned users, else an admin's to set. */
  suspended_until: Date | null;
  /** Channel, bot and address of each usable row of addresses, the one that was linked last first; kept by a trigger, for whoever decides where a message goes. */
  usable_addresses: (string | null)[] | null;
  /** What the app keeps of a user that they may read and not change, a payment provider's id for one: a JSON object of at most companion.max_json_size, which workers and admins set by put_user(). */
  app_data: Json;
  /** Wall time from which the user's quiet hours last, every local day; no quiet hours where it or quiet_until is NULL, or both are the same. */
  quiet_from: string | null;
  /** Wall time up to which quiet hours last, without it; of an earlier one than quiet_from, that of the next local day. */
  quiet_until: string | null;
}

export interface Functions {
  /** Adds a message to a conversation and returns its id. */
  add_message: {
    args: {
      user_id: string | null;
      conversation_id: string | null;
      role: string | null;
      content: string | null;
      telegram_message_id?: number | string | bigint | null;
      reply_to_id?: string | null;
      metadata?: Json | null;
      reply_to_telegram_id?: number | string | bigint | null;
      bot?: string | null;
      address?: string | null;
      external_id?: string | null;
      reply_to_external_id?: string | null;
    };
    row: {
      add_message: string | null;
    };
  };
  /** Adds the answers of a step to the user's, and returns the step that comes after it; NULL after the last. */
  advance_onboarding: {
    args: {
      user_id: string | null;
      step: string | null;
      answers: Json | null;
    };
    row: {
      advance_onboarding: string | null;
    };
  };
  /** Sets what the app notes of a scheduled message, pending or finished; NULL leaves it as it is. */
  annotate_message: {
    args: {
      user_id: string | null;
      message_id: string | null;
      priority_level?: number | null;
      topic_key?: string | null;
      metadata?: Json | null;
    };
    row: {
      annotate_message: boolean | null;
    };
  };
  /** What is to be done every day. */
  apply_retention: {
    args: {
      max_rows?: number | null;
    };
    row: {
      apply_retention: string | null;
    };
  };
  /** Takes a scheduled message back, named by its id or its idempotency_key. */
  cancel_message: {
    args: {
      user_id: string | null;
      message_id?: string | null;
      reason?: string | null;
      idempotency_key?: string | null;
    };
    row: {
      cancel_message: string | null;
    };
  };
  /** Takes back all that is pending for a user, of one kind or, with NULL, of all, but for what is being sent; returns how many. */
  cancel_messages: {
    args: {
      user_id: string | null;
      kind?: string | null;
      reason?: string | null;
    };
    row: {
      cancel_messages: number | null;
    };
  };
  /** The IANA name of a time zone in its own spelling ("europe/berlin" gives "Europe/Berlin"). */
  canonical_timezone: {
    args: {
      timezone: string | null;
    };
    row: {
      canonical_timezone: string | null;
    };
  };
  /** When a clock in the zone first reads the time on the date. */
  checkin_instant: {
    args: {
      timezone: string | null;
      local_date: Date | string | null;
      local_time: string | null;
    };
    row: {
      checkin_instant: Date | null;
    };
  };
  /** Leases due messages to a worker, the oldest first, by when they are due less their kinds' head_start, passing over what others hold, and waits for nobody. */
  claim_messages: {
    args: {
      worker: string | null;
      max_messages?: number | null;
      lease?: string | null;
      channels?: (string | null)[] | null;
      kinds?: (string | null)[] | null;
    };
    row: {
      user_id: string | null;
      message_id: string | null;
      attempt: number | null;
      kind: string | null;
      local_date: Date | null;
      scheduled_for: Date | null;
      late_by: Interval | null;
      channel: string | null;
      address: string | null;
      display_name: string | null;
      companion_name: string | null;
      support_style: string | null;
      timezone: string | null;
      content: string | null;
      generation_context: Json | null;
      bot: string | null;
      addresses: (string | null)[] | null;
      longest_text: number | null;
      send_before: Date | null;
      tries: number | null;
      location: string | null;
      preferences: Json | null;
      email: string | null;
      priority_level: number | null;
      topic_key: string | null;
    };
  };
  /** Ends a conversation and says how the user felt and what it was about; NULL leaves that as it stands. */
  close_conversation: {
    args: {
      user_id: string | null;
      conversation_id: string | null;
      mood_summary?: string | null;
      topics?: (string | null)[] | null;
    };
    row: {
      close_conversation: boolean | null;
    };
  };
  /** Copies the answers to users and sets onboarding_completed_at, so that check-ins due from now on are sent. */
  complete_onboarding: {
    args: {
      user_id?: string | null;
    };
    row: {
      complete_onboarding: boolean | null;
    };
  };
  /** The cosine of two embeddings, -1 to 1; NULL where they differ in dimensions, have none, a null or only zeros. */
  cosine_similarity: {
    args: {
      a: (number | null)[] | null;
      b: (number | null)[] | null;
    };
    row: {
      cosine_similarity: number | null;
    };
  };
  /** A new link token for a user. */
  create_telegram_link_token: {
    args: {
      user_id?: string | null;
      valid_for?: string | null;
      bot?: string | null;
    };
    row: {
      create_telegram_link_token: string | null;
    };
  };
  /** The user that the session acts for. */
  current_user_id: {
    args: {};
    row: {
      current_user_id: string | null;
    };
  };
  /** Deletes a message; false where the user has none of this id. */
  delete_message: {
    args: {
      user_id: string | null;
      message_id: string | null;
      forget_facts?: boolean | null;
    };
    row: {
      delete_message: boolean | null;
    };
  };
  /** On a shard. */
  directory_change_done: {
    args: {
      user_id: string | null;
      id: string | null;
    };
    row: {
      directory_change_done: boolean | null;
    };
  };
  /** On the directory. */
  directory_confirm: {
    args: {
      user_id: string | null;
      channel: string | null;
      address: string | null;
      bot: string | null;
      reservation: number | string | bigint | null;
    };
    row: {
      directory_confirm: boolean | null;
    };
  };
  /** On the directory. */
  directory_lookup: {
    args: {
      channel: string | null;
      address: string | null;
      bot?: string | null;
    };
    row: {
      user_id: string | null;
      shard: number | null;
      found_bot: string | null;
      reservation: string | null;
      expires_at: Date | null;
      is_confirmed: boolean | null;
    };
  };
  /** On the directory. */
  directory_release: {
    args: {
      channel: string | null;
      address: string | null;
      bot: string | null;
      reservation: number | string | bigint | null;
    };
    row: {
      directory_release: boolean | null;
    };
  };
  /** On the directory. */
  directory_reserve: {
    args: {
      user_id: string | null;
      channel: string | null;
      address: string | null;
      bot?: string | null;
    };
    row: {
      outcome: string | null;
      owner: string | null;
      reservation: string | null;
      expires_at: Date | null;
    };
  };
  /** Says that an address of a user is gone (a blocked bot, a token that has expired), of one bot or, with NULL, of all. */
  disable_address: {
    args: {
      user_id: string | null;
      channel: string | null;
      address: string | null;
      bot?: string | null;
      reason?: string | null;
    };
    row: {
      disable_address: boolean | null;
    };
  };
  /** One tick. */
  dispatch: {
    args: {
      at?: Date | string | null;
      max_rows?: number | null;
    };
    row: {
      dispatch: number | null;
    };
  };
  /** The user's items of category follow_up whose metadata has a follow_up_on of this date or before, and that resolve_user_context() has not marked as asked; the oldest first. */
  due_follow_ups: {
    args: {
      user_id: string | null;
      on_date?: Date | string | null;
    };
    row: ContextItem;
  };
  /** due_follow_ups() over all users, for a worker that asks them by a message of its own. */
  due_follow_ups_all: {
    args: {
      max_rows?: number | null;
    };
    row: ContextItem;
  };
  /** Replaces a message's text and returns its id. */
  edit_message: {
    args: {
      user_id: string | null;
      message_id: string | null;
      content: string | null;
      telegram_message_id?: number | string | bigint | null;
      bot?: string | null;
      address?: string | null;
      external_id?: string | null;
      channel?: string | null;
    };
    row: {
      edit_message: string | null;
    };
  };
  /** When the local date ends, and the next begins, in the user's present zone. */
  end_of_day: {
    args: {
      user_id: string | null;
      local_date: Date | string | null;
    };
    row: {
      end_of_day: Date | null;
    };
  };
  /** Deletes all that is stored of a user, the audit trail included, and returns for each table how many rows; all zero for an unknown user. */
  erase_user: {
    args: {
      user_id?: string | null;
    };
    row: {
      erase_user: Json | null;
    };
  };
  /** Deletes addresses unlinked longer than companion.retention ago, which counts as nine days at least. */
  expire_addresses: {
    args: {
      max_rows?: number | null;
    };
    row: {
      expire_addresses: string | null;
    };
  };
  /** Deletes what caps have counted of users whose last start is longer ago than any cap reaches back, and two days more. */
  expire_cap_starts: {
    args: {
      max_rows?: number | null;
    };
    row: {
      expire_cap_starts: string | null;
    };
  };
  /** Deletes edits whose messages have not come within 7 days, for as long as messengers deliver again. */
  expire_early_edits: {
    args: {
      max_rows?: number | null;
    };
    row: {
      expire_early_edits: string | null;
    };
  };
  /** Deletes what pg_cron has logged, longer than companion.retention ago, of companion's jobs in whichever database, as far as the caller may. */
  expire_job_runs: {
    args: {
      max_rows?: number | null;
    };
    row: {
      expire_job_runs: string | null;
    };
  };
  /** Deletes messages finished longer than companion.retention ago, which counts as nine days at least. */
  expire_messages: {
    args: {
      max_rows?: number | null;
    };
    row: {
      expire_messages: string | null;
    };
  };
  /** Forgets up to max_rows reservations that have expired. */
  expire_reservations: {
    args: {
      max_rows?: number | null;
    };
    row: {
      expire_reservations: string | null;
    };
  };
  /** Deletes up to max_rows link tokens, the oldest first. */
  expire_telegram_link_tokens: {
    args: {
      max_rows?: number | null;
    };
    row: {
      expire_telegram_link_tokens: string | null;
    };
  };
  /** Deletes expired items, which no read returns any more; their values stay in user_context_history. */
  expire_user_context: {
    args: {
      max_rows?: number | null;
    };
    row: {
      expire_user_context: string | null;
    };
  };
  /** Why a user gets, got or did not get the check-in of a local day, NULL. */
  explain_checkin: {
    args: {
      user_id: string | null;
      local_date?: Date | string | null;
    };
    row: {
      rule: string | null;
      holds: boolean | null;
      detail: string | null;
    };
  };
  /** All that is stored of a user. */
  export_user: {
    args: {
      user_id?: string | null;
    };
    row: {
      export_user: Json | null;
    };
  };
  /** Moves the end of the lease to this long from now. */
  extend_lease: {
    args: {
      user_id: string | null;
      message_id: string | null;
      attempt: number | null;
      lease?: string | null;
    };
    row: {
      extend_lease: boolean | null;
    };
  };
  /** extend_lease for many messages. */
  extend_lease_many: {
    args: {
      user_ids: (string | null)[] | null;
      message_ids: (string | null)[] | null;
      attempts: (number | null)[] | null;
      lease?: string | null;
    };
    row: {
      extend_lease_many: (boolean | null)[] | null;
    };
  };
  /** Finishes pending messages that no worker will. */
  finish_abandoned: {
    args: {
      max_rows?: number | null;
    };
    row: {
      finish_abandoned: string | null;
    };
  };
  /** A text without the white space around it, in Unicode's normal form C and without case, by Unicode's simple case folding; in a server that is not UTF8 ASCII alone loses its case. */
  folded: {
    args: {
      value: string | null;
    };
    row: {
      folded: string | null;
    };
  };
  /** Puts the trigger companion_follow on an auth table, so that companion.users gains, changes the id and the e-mail address of, and loses a user with it, and takes over the rows that are there, but for users whom erase_user() has erased. */
  follow_auth_users: {
    args: {
      auth_table?: string | null;
      email_column?: string | null;
      deleted_column?: string | null;
      banned_column?: string | null;
      on_replica?: boolean | null;
    };
    row: {
      follow_auth_users: string | null;
    };
  };
  /** Deletes the counts of unknown link tokens whose minute is over, up to 10,000 at once; passes over what others hold, and returns how many. */
  forget_redeem_failures: {
    args: {};
    row: {
      forget_redeem_failures: string | null;
    };
  };
  /** Deletes one item, a category's or all of a user's, their history with them; returns how many of each. */
  forget_user_context: {
    args: {
      user_id: string | null;
      category?: string | null;
      key?: string | null;
    };
    row: {
      items: string | null;
      history: string | null;
    };
  };
  /** Is it well. */
  health: {
    args: {
      max_lag?: string | null;
    };
    row: {
      check: string | null;
      ok: boolean | null;
      value: number | null;
      detail: string | null;
    };
  };
  /** Takes conversations over, as import_users() users. */
  import_conversations: {
    args: {
      rows: Json | null;
    };
    row: {
      element: number | null;
      id: string | null;
      outcome: string | null;
      reason: string | null;
    };
  };
  /** Takes messages over, as import_conversations() conversations. */
  import_messages: {
    args: {
      rows: Json | null;
    };
    row: {
      element: number | null;
      id: string | null;
      outcome: string | null;
      reason: string | null;
    };
  };
  /** Takes over what was sent, as import_conversations() conversations. */
  import_scheduled_messages: {
    args: {
      rows: Json | null;
    };
    row: {
      element: number | null;
      id: string | null;
      outcome: string | null;
      reason: string | null;
    };
  };
  /** Takes facts over, as import_conversations() conversations. */
  import_user_context: {
    args: {
      rows: Json | null;
    };
    row: {
      element: number | null;
      id: string | null;
      outcome: string | null;
      reason: string | null;
    };
  };
  /** Takes users over. */
  import_users: {
    args: {
      rows: Json | null;
    };
    row: {
      element: number | null;
      id: string | null;
      outcome: string | null;
      reason: string | null;
    };
  };
  /** The id that an imported row of a user's in conversations, messages or scheduled_messages has, by the id that it had in the app's own tables, of whatever type, as a text. */
  imported_id: {
    args: {
      user_id: string | null;
      table_name: string | null;
      old_id: string | null;
    };
    row: {
      imported_id: string | null;
    };
  };
  /** Whether two texts are the same but for white space around them and Unicode's normal form. */
  is_same_text: {
    args: {
      a: string | null;
      b: string | null;
    };
    row: {
      is_same_text: boolean | null;
    };
  };
  /** Items that may be recalled and have no embedding of this model. */
  items_without_embedding: {
    args: {
      model: string | null;
      max_rows?: number | null;
      for_user?: string | null;
    };
    row: {
      user_id: string | null;
      item_id: string | null;
      category: string | null;
      key: string | null;
      value: string | null;
    };
  };
  /** Links an address to a user, beside those that they have there; linked again, it is usable again. */
  link_address: {
    args: {
      user_id: string | null;
      channel: string | null;
      address: string | null;
      bot?: string | null;
    } | {
      user_id: string | null;
      channel: string | null;
      address_number: number | string | bigint | null;
      bot?: string | null;
    };
    row: {
      link_address: string | null;
    };
  };
  /** Of which user a live link token is, and for which bot redeeming it would link the account. */
  link_token_owner: {
    args: {
      token: string | null;
      bot?: string | null;
    };
    row: {
      user_id: string | null;
      for_bot: string | null;
    };
  };
  /** The shard that a link token names, the number before its first -; NULL for what is no token of a shard. */
  link_token_shard: {
    args: {
      token: string | null;
    };
    row: {
      link_token_shard: number | null;
    };
  };
  /** On a shard. */
  link_wanted_address: {
    args: {
      user_id: string | null;
      id: string | null;
      reservation: number | string | bigint | null;
      expires_at: Date | string | null;
    };
    row: {
      link_wanted_address: string | null;
    };
  };
  /** What a clock in the zone reads at a time. */
  local_timestamp: {
    args: {
      timezone: string | null;
      at: Date | string | null;
    };
    row: {
      local_timestamp: Date | null;
    };
  };
  /** Reports that the message was not sent. */
  mark_failed: {
    args: {
      user_id: string | null;
      message_id: string | null;
      attempt: number | null;
      reason: string | null;
      retry_after?: string | null;
      permanent?: boolean | null;
      address_gone?: boolean | null;
      retry_after_seconds?: number | null;
    };
    row: {
      mark_failed: boolean | null;
    };
  };
  /** mark_failed for many messages. */
  mark_failed_many: {
    args: {
      user_ids: (string | null)[] | null;
      message_ids: (string | null)[] | null;
      attempts: (number | null)[] | null;
      reasons: (string | null)[] | null;
      retry_after?: string | null;
      permanent?: boolean | null;
      address_gone?: boolean | null;
      retry_after_seconds?: number | null;
    };
    row: {
      mark_failed_many: (boolean | null)[] | null;
    };
  };
  /** Reports that the message was sent after start_send. */
  mark_sent: {
    args: {
      user_id: string | null;
      message_id: string | null;
      attempt: number | null;
      content?: string | null;
      telegram_message_id?: number | string | bigint | null;
      external_id?: string | null;
      metadata?: Json | null;
      resolves?: (string | null)[] | null;
    };
    row: {
      mark_sent: boolean | null;
    };
  };
  /** mark_sent for many messages. */
  mark_sent_many: {
    args: {
      user_ids: (string | null)[] | null;
      message_ids: (string | null)[] | null;
      attempts: (number | null)[] | null;
      contents?: (string | null)[] | null;
      telegram_message_ids?: (number | string | bigint | null)[] | null;
      external_ids?: (string | null)[] | null;
      metadata?: (Json | null)[] | null;
      resolves?: (string | null)[] | null;
    };
    row: {
      mark_sent_many: (boolean | null)[] | null;
    };
  };
  /** Reports that the message is not to be sent after all, and why. */
  mark_skipped: {
    args: {
      user_id: string | null;
      message_id: string | null;
      attempt: number | null;
      reason: string | null;
    };
    row: {
      mark_skipped: boolean | null;
    };
  };
  /** mark_skipped for many messages. */
  mark_skipped_many: {
    args: {
      user_ids: (string | null)[] | null;
      message_ids: (string | null)[] | null;
      attempts: (number | null)[] | null;
      reasons: (string | null)[] | null;
    };
    row: {
      mark_skipped_many: (boolean | null)[] | null;
    };
  };
  /** All that is remembered of a user, for the user. */
  memory_report: {
    args: {
      user_id?: string | null;
    };
    row: {
      category: string | null;
      key: string | null;
      value: string | null;
      since: Date | null;
      source: string | null;
      words: string | null;
      said_at: Date | null;
      pinned: boolean | null;
      expires_at: Date | null;
      resolved_at: Date | null;
    };
  };
  /** Makes one item of those whose keys 0.1.0 took for different and that are the same now; the update from 0.1.0 has done so, after a restore of a dump of 0.1.0 an admin does. */
  merge_context_items: {
    args: {};
    row: {
      merge_context_items: string | null;
    };
  };
  /** What an exporter shows, by Prometheus' conventions. */
  metrics: {
    args: {};
    row: {
      name: string | null;
      labels: Json | null;
      value: number | null;
    };
  };
  /** An id for a new user. */
  new_user_id: {
    args: {};
    row: {
      new_user_id: string | null;
    };
  };
  /** When the user's next check-in after at is due, as the user's settings and past check-ins now stand; NULL when there will be none. */
  next_checkin: {
    args: {
      user_id: string | null;
      at?: Date | string | null;
    };
    row: {
      next_checkin: Date | null;
    };
  };
  /** A text without the white space around it, in Unicode's normal form C; in a server that is not UTF8 as it is but for the white space. */
  normalized: {
    args: {
      value: string | null;
    };
    row: {
      normalized: string | null;
    };
  };
  /** The time that every function goes by. */
  now: {
    args: {};
    row: {
      now: Date | null;
    };
  };
  /** The open conversation of a user on a channel, if its last message (or, without one, its start) is younger than idle; else that one is ended and a new one begun. */
  open_conversation: {
    args: {
      user_id: string | null;
      channel: string | null;
      initiated_by?: string | null;
      idle?: string | null;
    };
    row: {
      open_conversation: string | null;
    };
  };
  /** Pauses sending on a channel, of a kind, of a kind on a channel, or, with neither, all of it; until a time or, with NULL, resume_sending(). */
  pause_sending: {
    args: {
      channel?: string | null;
      kind?: string | null;
      until?: Date | string | null;
      reason?: string | null;
    };
    row: {
      pause_sending: boolean | null;
    };
  };
  /** Changes a user's settings, a JSON object whose fields are columns of users, or makes the user; returns the row, in which a time that is infinite is NULL, as of a pause without an end. */
  put_user: {
    args: {
      user_id: string | null;
      settings: Json | null;
    };
    row: Users;
  };
  /** When the quiet time ends that at lies in; NULL where it is not quiet then, and where an argument is NULL. */
  quiet_until: {
    args: {
      timezone: string | null;
      quiet_from: string | null;
      quiet_until: string | null;
      at: Date | string | null;
    };
    row: {
      quiet_until: Date | null;
    };
  };
  /** How much an item matters at a time. */
  recall_score: {
    args: {
      category: string | null;
      importance: number | null;
      confirmations: number | null;
      confirmed_at: Date | string | null;
      last_used_at: Date | string | null;
      at: Date | string | null;
    };
    row: {
      recall_score: number | null;
    };
  };
  /** The items that matter most now. */
  recall_user_context: {
    args: {
      user_id: string | null;
      max_items?: number | null;
      max_chars?: number | null;
      categories?: (string | null)[] | null;
      exclude?: (string | null)[] | null;
      embedding?: (number | null)[] | null;
      meaning_weight?: number | null;
      model?: string | null;
    };
    row: ContextItem;
  };
  /** A user's messages, or those of one conversation, the latest first. */
  recent_messages: {
    args: {
      user_id: string | null;
      max_messages?: number | null;
      conversation_id?: string | null;
      before_id?: string | null;
    };
    row: StoredMessage;
  };
  /** What a channel's webhook brings, in one call. */
  record_incoming: {
    args: {
      channel: string | null;
      channel_user_id: string | null;
      content: string | null;
      telegram_message_id?: number | string | bigint | null;
      reply_to_telegram_id?: number | string | bigint | null;
      metadata?: Json | null;
      idle?: string | null;
      bot?: string | null;
      external_id?: string | null;
      reply_to_external_id?: string | null;
    } | {
      channel: string | null;
      channel_user_number: number | string | bigint | null;
      content: string | null;
      telegram_message_id?: number | string | bigint | null;
      reply_to_telegram_id?: number | string | bigint | null;
      metadata?: Json | null;
      idle?: string | null;
      bot?: string | null;
      external_id?: string | null;
      reply_to_external_id?: string | null;
    };
    row: {
      user_id: string | null;
      conversation_id: string | null;
      message_id: string | null;
      is_new: boolean | null;
      cancelled: number | null;
    };
  };
  /** Ties a Telegram account to the user of a link token, as users.telegram_user_id and as their usable address for the bot, and uses up the user's other tokens, in one step. */
  redeem_telegram_link_token: {
    args: {
      token: string | null;
      telegram_user_id: number | string | bigint | null;
      telegram_username?: string | null;
      bot?: string | null;
    };
    row: {
      outcome: string | null;
      user_id: string | null;
    };
  };
  /** Gives a claim back, which costs nothing. */
  release_message: {
    args: {
      user_id: string | null;
      message_id: string | null;
      attempt: number | null;
    };
    row: {
      release_message: boolean | null;
    };
  };
  /** release_message for many messages. */
  release_message_many: {
    args: {
      user_ids: (string | null)[] | null;
      message_ids: (string | null)[] | null;
      attempts: (number | null)[] | null;
    };
    row: {
      release_message_many: (boolean | null)[] | null;
    };
  };
  /** Moves a pending message to another time; one in the past is due at once. */
  reschedule_message: {
    args: {
      user_id: string | null;
      message_id: string | null;
      scheduled_for: Date | string | null;
    };
    row: {
      reschedule_message: string | null;
    };
  };
  /** Marks an open thread as settled or a follow-up as asked. */
  resolve_user_context: {
    args: {
      user_id: string | null;
      category: string | null;
      key: string | null;
    };
    row: {
      resolve_user_context: boolean | null;
    };
  };
  /** Ends the pause that pause_sending() of the same channel and kind began; false where there is none. */
  resume_sending: {
    args: {
      channel?: string | null;
      kind?: string | null;
    };
    row: {
      resume_sending: boolean | null;
    };
  };
  /** retry_message for every message that has failed since a time, for a reason that is LIKE the pattern (NULL. */
  retry_failed: {
    args: {
      since: Date | string | null;
      reason_pattern?: string | null;
      kinds?: (string | null)[] | null;
    };
    row: {
      retry_failed: string | null;
    };
  };
  /** Brings back a message that has failed, was skipped, or is unknown, which may send it twice. */
  retry_message: {
    args: {
      user_id: string | null;
      message_id: string | null;
      send_before?: Date | string | null;
    };
    row: {
      retry_message: boolean | null;
    };
  };
  /** Deletes a user's unused link tokens and returns how many there were. */
  revoke_telegram_link_tokens: {
    args: {
      user_id?: string | null;
    };
    row: {
      revoke_telegram_link_tokens: string | null;
    };
  };
  /** Sets the previous tick, so that the next one covers what is due after to_at, and nothing before. */
  rewind_dispatch: {
    args: {
      to_at: Date | string | null;
    };
    row: {
      rewind_dispatch: "" | null;
    };
  };
  /** What is to be done every few minutes, each step bounded. */
  run_maintenance: {
    args: {};
    row: {
      task: string | null;
      affected: string | null;
    };
  };
  /** Creates the pg_cron jobs companion_dispatch, companion_maintenance and companion_retention, or sets them right where they exist; those of another login in these databases go. */
  schedule_jobs: {
    args: {
      run_as?: string | null;
      every?: string | null;
      databases?: (string | null)[] | null;
    };
    row: {
      job: string | null;
      schedule: string | null;
    };
  };
  /** Enqueues a message for a user; a time in the past is due at once. */
  schedule_message: {
    args: {
      user_id: string | null;
      scheduled_for: Date | string | null;
      content: string | null;
      kind?: string | null;
      channel?: string | null;
      idempotency_key?: string | null;
      generation_context?: Json | null;
      send_before?: Date | string | null;
      replace?: boolean | null;
      cancel_on_reply?: boolean | null;
      priority_level?: number | null;
      topic_key?: string | null;
      metadata?: Json | null;
    };
    row: {
      message_id: string | null;
      created: boolean | null;
    };
  };
  /** The user's messages that match a query, the best first, of equals the latest. */
  search_messages: {
    args: {
      user_id: string | null;
      query: string | null;
      max_results?: number | null;
    };
    row: {
      message_id: string | null;
      conversation_id: string | null;
      role: string | null;
      excerpt: string | null;
      rank: number | null;
      created_at: Date | null;
    };
  };
  /** Whether a message of this kind that was for the local day of at, in the user's present zone, was sent. */
  sent_today: {
    args: {
      user_id: string | null;
      kind?: string | null;
      at?: Date | string | null;
    };
    row: {
      sent_today: boolean | null;
    };
  };
  /** Makes this database the directory of so many shards, which says which user has an address and has no users itself. */
  set_directory: {
    args: {
      shards: number | null;
    };
    row: {
      set_directory: boolean | null;
    };
  };
  /** Stores the embedding of an item's value under a model; false where the item is gone, or where value, what the embedding was made of, is not its value any more. */
  set_embedding: {
    args: {
      user_id: string | null;
      item_id: string | null;
      model: string | null;
      embedding: (number | null)[] | null;
      value?: string | null;
    };
    row: {
      set_embedding: boolean | null;
    };
  };
  /** Makes this database one of so many shards, 0 to shards - 1, for good. */
  set_shard: {
    args: {
      number: number | null;
      shards: number | null;
    };
    row: {
      set_shard: boolean | null;
    };
  };
  /** On a shard. */
  settle_reservation: {
    args: {
      user_id: string | null;
      channel: string | null;
      address: string | null;
      bot: string | null;
      reservation: number | string | bigint | null;
      expires_at: Date | string | null;
    };
    row: {
      outcome: string | null;
      owner: string | null;
    };
  };
  /** Which of so many shards, 0 to shards - 1, a user belongs to. */
  shard_of: {
    args: {
      user_id: string | null;
      shards: number | null;
    };
    row: {
      shard_of: number | null;
    };
  };
  /** Begins a user's onboarding, unless it has begun, and returns the step that comes next; NULL when none does. */
  start_onboarding: {
    args: {
      user_id?: string | null;
    };
    row: {
      start_onboarding: string | null;
    };
  };
  /** The point of no return, called right before sending. */
  start_send: {
    args: {
      user_id: string | null;
      message_id: string | null;
      attempt: number | null;
    };
    row: {
      start_send: boolean | null;
    };
  };
  /** start_send for many messages. */
  start_send_many: {
    args: {
      user_ids: (string | null)[] | null;
      message_ids: (string | null)[] | null;
      attempts: (number | null)[] | null;
    };
    row: {
      start_send_many: (boolean | null)[] | null;
    };
  };
  /** On a shard. */
  take_reservation: {
    args: {
      user_id: string | null;
      channel: string | null;
      address: string | null;
      bot: string | null;
      reservation: number | string | bigint | null;
      expires_at: Date | string | null;
    };
    row: {
      take_reservation: "" | null;
    };
  };
  /** The link that opens a bot in Telegram with a start parameter. */
  telegram_deep_link: {
    args: {
      bot_username: string | null;
      token: string | null;
    };
    row: {
      telegram_deep_link: string | null;
    };
  };
  /** Says that a messenger has asked a bot, or with NULL the whole channel, to send nothing for so long (a 429 that is not about one message). */
  throttle_channel: {
    args: {
      channel: string | null;
      retry_after?: string | null;
      bot?: string | null;
      retry_after_seconds?: number | null;
    };
    row: {
      throttle_channel: Date | null;
    };
  };
  /** Records that items were used, which lifts them in recall for a while; returns how many of the ids are items of the user. */
  touch_user_context: {
    args: {
      user_id: string | null;
      ids: (string | null)[] | null;
    };
    row: {
      touch_user_context: string | null;
    };
  };
  /** Takes the trigger off an auth table; the users stay. */
  unfollow_auth_users: {
    args: {
      auth_table?: string | null;
    };
    row: {
      unfollow_auth_users: boolean | null;
    };
  };
  /** Takes an address from a user, of one bot or, with NULL, of all; returns whether they had it. */
  unlink_address: {
    args: {
      user_id: string | null;
      channel: string | null;
      address: string | null;
      bot?: string | null;
    };
    row: {
      unlink_address: boolean | null;
    };
  };
  /** Unties the user's Telegram account; returns whether there was one. */
  unlink_telegram: {
    args: {
      user_id?: string | null;
    };
    row: {
      unlink_telegram: boolean | null;
    };
  };
  /** Removes these databases' companion jobs from pg_cron, those of the caller or, as a superuser, of everybody; returns how many there were. */
  unschedule_jobs: {
    args: {
      databases?: (string | null)[] | null;
    };
    row: {
      unschedule_jobs: number | null;
    };
  };
  /** What is to go to a user, in the order in which it is due, up to and with until. */
  upcoming: {
    args: {
      user_id: string | null;
      until: Date | string | null;
    };
    row: {
      message_id: string | null;
      kind: string | null;
      local_date: Date | null;
      scheduled_for: Date | null;
      goes_at: Date | null;
      channel: string | null;
      address: string | null;
      reason: string | null;
    };
  };
  /** Changes what is noted of an item, by its id or its category and key, without stating the fact anew, and returns its row; NULL where there is no such item, or it has expired. */
  update_user_context: {
    args: {
      user_id: string | null;
      id?: string | null;
      category?: string | null;
      key?: string | null;
      importance?: number | null;
      pinned?: boolean | null;
      expires_at?: Date | string | null;
      metadata?: Json | null;
      merge?: boolean | null;
    };
    row: ContextItem;
  };
  /** Remembers a fact and returns its row. */
  upsert_user_context: {
    args: {
      user_id: string | null;
      category: string | null;
      key: string | null;
      value: string | null;
      importance?: number | null;
      emotional_valence?: number | null;
      source?: string | null;
      expires_at?: Date | string | null;
      source_message_id?: string | null;
      metadata?: Json | null;
      pinned?: boolean | null;
    };
    row: ContextItem;
  };
  /** upsert_user_context for an array of at most companion.max_facts objects with its arguments' names. */
  upsert_user_context_many: {
    args: {
      user_id: string | null;
      facts: Json | null;
      on_invalid?: string | null;
    } | {
      user_id: string | null;
      facts_text: string | null;
      on_invalid: string | null;
    };
    row: {
      user_id: string | null;
      id: string | null;
      category: string | null;
      key: string | null;
      value: string | null;
      importance: number | null;
      emotional_valence: number | null;
      source: string | null;
      source_message_id: string | null;
      metadata: Json | null;
      pinned: boolean | null;
      expires_at: Date | null;
      resolved_at: Date | null;
      confirmations: number | null;
      confirmed_at: Date | null;
      last_referenced_at: Date | null;
      value_since: Date | null;
      previous_value: string | null;
      previous_source: string | null;
      previous_since: Date | null;
      contradicted_by: string | null;
      created_at: Date | null;
      updated_at: Date | null;
      last_used_at: Date | null;
      outcome: string | null;
      reason: string | null;
    };
  };
  /** What was believed about the user at a time, by category and key. */
  user_context_as_of: {
    args: {
      user_id: string | null;
      at: Date | string | null;
    };
    row: {
      category: string | null;
      key: string | null;
      value: string | null;
      source: string | null;
      held_from: Date | null;
      held_until: Date | null;
    };
  };
  /** What recall_user_context() returns as lines for a prompt, "- category/key. */
  user_context_prompt: {
    args: {
      user_id: string | null;
      max_items?: number | null;
      max_chars?: number | null;
      categories?: (string | null)[] | null;
      exclude?: (string | null)[] | null;
      embedding?: (number | null)[] | null;
      meaning_weight?: number | null;
      model?: string | null;
    };
    row: {
      user_context_prompt: string | null;
    };
  };
  /** A new id, UUID version 7, for a given time. */
  uuid_v7: {
    args: {
      at: Date | string | null;
    } | {};
    row: {
      uuid_v7: string | null;
    };
  };
}
