// POSTs over HTTP, by libcurl.
#pragma once

#include "stop.hpp"

#include <curl/curl.h>

#include <cstring>
#include <vector>

struct HttpAnswer {
    // unknown: the request went out, at least in part, and no whole answer came back
    enum Outcome { answered, not_sent, unknown } outcome = answered;
    long status = 0;
    std::string body;
    std::string error; // does not name the URL, which may have a secret
};

class Http {
  public:
    Http() : curl_(curl_easy_init()) {}
    Http(const Http &) = delete;
    ~Http() { curl_easy_cleanup(curl_); }

    // With a stop the request is given up when that is requested
    HttpAnswer post(const std::string &url, const std::vector<std::string> &headers,
                    const std::string &body, long timeout, const Stop *stop = nullptr)
    {
        HttpAnswer answer;
        Body given{body};
        curl_slist *lines = curl_slist_append(nullptr, "Expect:");
        for (const std::string &header : headers)
            lines = curl_slist_append(lines, header.c_str());
        curl_easy_reset(curl_); // all but the connections that are kept
        set(CURLOPT_URL, url.c_str());
        set(CURLOPT_HTTPHEADER, lines);
        set(CURLOPT_POST, 1L);
        set(CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
        set(CURLOPT_READFUNCTION, give_body);
        set(CURLOPT_READDATA, &given);
        set(CURLOPT_WRITEFUNCTION, keep_answer);
        set(CURLOPT_WRITEDATA, &answer.body);
        set(CURLOPT_TIMEOUT, timeout);
        set(CURLOPT_NOSIGNAL, 1L);
        set(CURLOPT_NOPROGRESS, 0L);
        set(CURLOPT_XFERINFOFUNCTION, is_given_up);
        set(CURLOPT_XFERINFODATA, stop);
        const CURLcode code = curl_easy_perform(curl_);
        curl_slist_free_all(lines);
        curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &answer.status);
        if (code != CURLE_OK) {
            answer.outcome = given.is_asked_for ? HttpAnswer::unknown : HttpAnswer::not_sent;
            answer.error = curl_easy_strerror(code);
        }
        return answer;
    }

  private:
    struct Body {
        const std::string &text;
        size_t taken = 0;
        bool is_asked_for = false;
    };

    template <typename Value> void set(CURLoption option, Value value)
    {
        curl_easy_setopt(curl_, option, value);
    }

    // libcurl asks for the body once it is connected. It cannot ask twice, for want of a
    // CURLOPT_SEEKFUNCTION: when a connection that it has kept turns out to be dead it would repeat the
    // request by itself, though the other side may have acted on it; this way that is an error.
    static size_t give_body(char *buffer, size_t size, size_t count, void *given)
    {
        auto &body = *static_cast<Body *>(given);
        const size_t length = std::min(size * count, body.text.size() - body.taken);
        std::memcpy(buffer, body.text.data() + body.taken, length);
        body.taken += length;
        body.is_asked_for = true;
        return length;
    }

    static size_t keep_answer(char *buffer, size_t size, size_t count, void *kept)
    {
        static_cast<std::string *>(kept)->append(buffer, size * count);
        return size * count;
    }

    static int is_given_up(void *stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t)
    {
        return stop && static_cast<const Stop *>(stop)->is_requested();
    }

    CURL *const curl_;
};
