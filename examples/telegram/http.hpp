// POSTs over HTTP, by libcurl, and what the answers mean.
#pragma once
#include "stop.hpp"
#include <curl/curl.h>
#include <nlohmann/json.hpp>
#include <algorithm>
#include <map>
#include <memory>

using Json = nlohmann::json;

// Texts may be of any origin: what is no UTF-8 in them is replaced
inline std::string dump(const Json &json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// What is there in JSON of whatever form; null: nothing
inline Json at(const Json &json, const char *path) {
    const Json::json_pointer pointer(path);
    return json.contains(pointer) ? json.at(pointer) : Json();
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
    } meaning = unknown;
    std::string description = {}; // does not name the URL, which has the token
    Json body = {};               // one that cannot be read: its text
    int retry_after = 0;
};

class Http {
  public:
    // By a connection of its own: of one that was kept and is dead nobody knows what was done. A stop gives it up.
    static Reply post(const std::string &url, const std::vector<std::string> &headers, const std::string &body,
        long timeout, const Stop *stop = nullptr) {
        const std::unique_ptr<CURL, void (*)(CURL *)> curl(curl_easy_init(), curl_easy_cleanup);
        std::string_view rest = body;
        std::string answer;
        long status = 0;
        curl_slist *lines = curl_slist_append(nullptr, "Expect:");
        for (const std::string &header : headers)
            lines = curl_slist_append(lines, header.c_str());
        curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
        curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, lines);
        curl_easy_setopt(curl.get(), CURLOPT_POST, 1L);
        curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
        curl_easy_setopt(curl.get(), CURLOPT_READFUNCTION, give_body);
        curl_easy_setopt(curl.get(), CURLOPT_READDATA, &rest);
        curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, keep_answer);
        curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer);
        curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, timeout);
        curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl.get(), CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl.get(), CURLOPT_XFERINFOFUNCTION, is_given_up);
        curl_easy_setopt(curl.get(), CURLOPT_XFERINFODATA, stop);
        const CURLcode code = curl_easy_perform(curl.get());
        curl_slist_free_all(lines);
        curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
        if (code != CURLE_OK)
            return {rest.size() < body.size() ? Reply::unknown : Reply::failed, curl_easy_strerror(code)};
        return read(status, Json::accept(answer) ? Json::parse(answer) : Json(answer));
    }

  private:
    static Reply read(long status, const Json &body) {
        Reply reply{Reply::unknown, std::to_string(status), body, status == 429 ? 5 : 0};
        static const std::map<long, Reply::Meaning> meanings = {{400, Reply::refused}, {401, Reply::forbidden},
            {403, Reply::gone}, {404, Reply::forbidden}, {409, Reply::conflict}, {429, Reply::throttled}};
        if (const auto known = meanings.find(status); known != meanings.end())
            reply.meaning = known->second;
        else if (status >= 500 || (status == 200 && body.is_object())) // else a proxy's page
            reply.meaning = status == 200 ? Reply::done : Reply::failed;
        if (const Json description = at(body, "/description"); description.is_string())
            reply.description += " " + description.get<std::string>();
        if (const Json seconds = at(body, "/parameters/retry_after"); seconds.is_number_integer())
            reply.retry_after = static_cast<int>(std::clamp(seconds.get<long long>(), 1LL, 86400LL));
        return reply;
    }

    // libcurl takes the body once it is connected, and for want of a CURLOPT_SEEKFUNCTION once only
    static size_t give_body(char *buffer, size_t size, size_t count, void *given) {
        auto &rest = *static_cast<std::string_view *>(given);
        const size_t length = rest.copy(buffer, size * count);
        rest.remove_prefix(length);
        return length;
    }

    static size_t keep_answer(char *buffer, size_t size, size_t count, void *kept) {
        static_cast<std::string *>(kept)->append(buffer, size * count);
        return size * count;
    }

    static int is_given_up(void *stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
        return stop && static_cast<const Stop *>(stop)->is_requested();
    }
};
