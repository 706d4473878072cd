// Telegram's Bot API, and what its answers mean.
#pragma once

#include "http.hpp"
#include "parts.hpp"
#include "settings.hpp"

#include <nlohmann/json.hpp>

#include <thread>

using Json = nlohmann::json;

// Texts may be of any origin: what is no UTF-8 in them is replaced
inline std::string dump(const Json &json)
{
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

struct Reply {
    enum Meaning {
        done,      // 200
        refused,   // 400: it will never be taken
        forbidden, // 401, 404: the token, or the URL, is wrong
        gone,      // 403: the user has blocked the bot, or is no more
        conflict,  // 409: somebody else polls, or there is a webhook
        throttled, // 429: all of the bot is to wait for retry_after seconds
        failed,    // 5xx, or no connection: certainly not done
        unknown    // no answer, or none that can be read: it may have been done
    } meaning;
    std::string description;
    Json result;
    int retry_after = 0;
};

// A text that went out, whole or in part
struct Sent {
    Reply reply;                // to its last part, or the one that failed
    std::string text;           // what went out
    std::vector<long long> ids; // of the parts that went out
    size_t missing = 0;         // how many did not

    // Beside the first id, for which mark_sent and add_message have an argument
    std::string metadata() const
    {
        Json metadata = Json::object();
        if (ids.size() + missing > 1)
            metadata["telegram_message_ids"] = ids;
        if (missing > 0)
            metadata["parts_missing"] = missing;
        return metadata.dump();
    }
};

class BotApi {
  public:
    explicit BotApi(const Settings &settings) : settings_(settings) {}

    Reply call(const std::string &method, const Json &parameters)
    {
        return post(method, "application/json", dump(parameters), settings_.timeout);
    }

    // Waits for some, for up to 50 seconds
    Reply get_updates(long long offset, const Stop &stop)
    {
        const Json parameters = {{"offset", offset}, {"timeout", 50}, {"allowed_updates", updates()}};
        return post("getUpdates", "application/json", dump(parameters), settings_.timeout + 50, &stop);
    }

    static Json updates() { return {"message", "edited_message", "my_chat_member"}; }

    Sent send_text(const std::string &chat, const std::string &text)
    {
        const std::vector<std::string> parts = parts_of(text, 4096);
        Sent sent;
        for (const std::string &part : parts) {
            sent.reply = sent.ids.empty() ? send_part(chat, part) : send_later_part(chat, part);
            if (sent.reply.meaning != Reply::done)
                break;
            sent.ids.push_back(sent.reply.result.value("message_id", 0LL));
            sent.text += (sent.text.empty() ? "" : "\n") + part;
        }
        sent.missing = parts.size() - sent.ids.size();
        if (sent.missing == 0)
            sent.text = text;
        return sent;
    }

    Reply send_document(const std::string &chat, const std::string &name, const std::string &content)
    {
        const std::string end = "\r\n--=the-boundary=";
        const std::string field = end + "\r\nContent-Disposition: form-data; name=";
        return post("sendDocument", "multipart/form-data; boundary=\"=the-boundary=\"",
                    field + "\"chat_id\"\r\n\r\n" + chat + field + "\"document\"; filename=\"" + name +
                        "\"\r\nContent-Type: application/json\r\n\r\n" + content + end + "--\r\n",
                    settings_.timeout);
    }

  private:
    Reply post(const std::string &method, const std::string &type, const std::string &body,
               long timeout, const Stop *stop = nullptr)
    {
        const std::string url = settings_.api_url + "/bot" + settings_.token + "/" + method;
        return read(http_.post(url, {"Content-Type: " + type}, body, timeout, stop));
    }

    static Reply read(const HttpAnswer &answer)
    {
        if (answer.outcome != HttpAnswer::answered)
            return {answer.outcome == HttpAnswer::not_sent ? Reply::failed : Reply::unknown, answer.error, {}};
        Reply reply{meaning_of(answer.status), std::to_string(answer.status), {}};
        const Json body = Json::parse(answer.body, nullptr, false); // a proxy's is no JSON
        if (body.is_object()) {
            reply.result = body.value("result", Json());
            reply.description += " " + body.value("description", "");
        }
        if (reply.meaning == Reply::done && reply.result.is_null())
            reply.meaning = Reply::unknown;
        if (reply.meaning == Reply::throttled)
            reply.retry_after = body.value("/parameters/retry_after"_json_pointer, 5);
        return reply;
    }

    static Reply::Meaning meaning_of(long status)
    {
        switch (status) {
        case 200: return Reply::done;
        case 400: return Reply::refused;
        case 401:
        case 404: return Reply::forbidden;
        case 403: return Reply::gone;
        case 409: return Reply::conflict;
        case 429: return Reply::throttled;
        default: return status >= 500 ? Reply::failed : Reply::unknown;
        }
    }

    // Models write Markdown, and not always such that Telegram takes it
    Reply send_part(const std::string &chat, const std::string &text)
    {
        Json parameters = {{"chat_id", chat}, {"text", text}, {"parse_mode", "Markdown"}};
        const Reply reply = call("sendMessage", parameters);
        if (reply.description.find("can't parse entities") == std::string::npos)
            return reply;
        parameters.erase("parse_mode");
        return call("sendMessage", parameters);
    }

    // What comes before it is out, so that the whole cannot come again: wait, but not for ever
    Reply send_later_part(const std::string &chat, const std::string &text)
    {
        Reply reply = send_part(chat, text);
        for (int i = 0; i < 3 && (reply.meaning == Reply::throttled || reply.meaning == Reply::failed); ++i) {
            if (reply.retry_after > 60)
                break;
            std::this_thread::sleep_for(std::chrono::seconds(std::max(1, reply.retry_after)));
            reply = send_part(chat, text);
        }
        return reply;
    }

    const Settings &settings_;
    Http http_;
};
