// Writes the texts: of a check-in, and of an answer.
#pragma once
#include "bot_api.hpp"
#include "database.hpp"
#include <cstdio>

struct Written {
    std::string text;
    Json facts;       // what the model has learned of the user
    std::string asks; // the id of the follow-up that the text asks about
};

// There is no text, for now; nothing is harmed
struct NoText : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// By a command, by an endpoint, or by a template
class Writer {
  public:
    Writer(const Settings &settings, Database &database) : settings_(settings), database_(database) {}

    bool is_slow() const { return !settings_.command.empty() || !settings_.model_url.empty(); }

    // `context` is the app's generation_context, if there is one
    Written checkin(const char *user_id, const std::string &context) {
        const pqxx::result follow_up =
            database_.call("SELECT id, value FROM companion.due_follow_ups($1) LIMIT 1", user_id);
        const std::string about = follow_up.empty() ? "" : follow_up[0]["value"].c_str();
        Written written{"How are you today?" + (about.empty() ? "" : " You told me: " + about), {}, ""};
        if (is_slow())
            written = ask_model(user_id, "Write first now. Ask how they are. " + about + " " + context);
        written.asks = follow_up.empty() ? "" : follow_up[0]["id"].c_str();
        return written;
    }

    // To the latest message
    Written answer(const char *user_id) {
        return is_slow() ? ask_model(user_id, "Answer.") : Written{"Thank you for telling me.", {}, ""};
    }

  private:
    static constexpr const char *manner =
        "You are a companion who writes to one person in a messenger: short, warm, in their language. "
        "If they have told you a lasting fact of themselves that you do not know yet, add a last line, which "
        "they do not see: FACTS: [{\"category\": \"...\", \"key\": \"...\", \"value\": \"...\"}]";

    // What is known of the user, what was said lately, and what is to be done now
    Json prompt(const char *user_id, const std::string &task) {
        const pqxx::result said = database_.call(R"sql(
            SELECT 'system' AS role,
                concat_ws(' ', 'Your name is ' || companion_name || '.', 'Theirs is ' || display_name || '.',
                    'They like you to be ' || support_style || '.',
                    'Their clock shows ' || to_char(companion.now() AT TIME ZONE timezone, 'FMDay HH24:MI') || '.',
                    'You know:') || chr(10) || companion.user_context_prompt(id, max_chars => 4000) AS content
            FROM companion.users WHERE id = $1
            UNION ALL
            (SELECT role, content FROM companion.recent_messages($1, 20) ORDER BY id)
            )sql",
            user_id);
        Json messages = {{{"role", "system"}, {"content", manner}}};
        for (const auto &row : said)
            messages.push_back({{"role", row["role"].c_str()}, {"content", row["content"].c_str()}});
        messages.push_back({{"role", "system"}, {"content", task}});
        return messages;
    }

    Written ask_model(const char *user_id, const std::string &task) {
        const std::string request = dump({{"model", settings_.model}, {"messages", prompt(user_id, task)}});
        std::string output = settings_.command.empty() ? ask_endpoint(request) : ask_command(request);
        output = Json::parse(dump(Json(output))).get<std::string>(); // the database takes neither other than UTF-8
        std::erase(output, '\0');                                    // nor a NUL
        const size_t mark = output.rfind("FACTS:");
        Written written{trimmed(output.substr(0, mark)), {}, ""};
        if (mark != std::string::npos)
            written.facts = Json::parse(output.substr(mark + 6), nullptr, false);
        if (written.text.empty())
            throw NoText("the model wrote no text");
        return written;
    }

    std::string ask_endpoint(const std::string &request) {
        const Reply reply = Http::post(settings_.model_url,
            {"Content-Type: application/json", "Authorization: Bearer " + settings_.model_key}, request,
            settings_.model_timeout);
        if (reply.meaning != Reply::done)
            throw NoText("the model's endpoint: " + reply.description);
        const Json text = at(reply.body, "/choices/0/message/content");
        return text.is_string() ? text.get<std::string>() : "";
    }

    // The command reads the request, in the same form, and writes the text
    std::string ask_command(const std::string &request) {
        const std::unique_ptr<FILE, int (*)(FILE *)> file(std::tmpfile(), std::fclose);
        std::fputs(request.c_str(), file.get());
        std::fflush(file.get());
        const std::string input = "exec </dev/fd/" + std::to_string(fileno(file.get())) + "; ";
        FILE *const pipe = popen((input + settings_.command).c_str(), "r");
        std::string output;
        for (int c; (c = std::fgetc(pipe)) != EOF;)
            output += static_cast<char>(c);
        if (const int status = pclose(pipe); status != 0)
            throw NoText("BOT_COMMAND: status " + std::to_string(status));
        return output;
    }

    const Settings &settings_;
    Database &database_;
};
