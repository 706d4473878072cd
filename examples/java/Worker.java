// Sends what is due by Telegram, each message once: a claim-and-mark loop with JDBC. docs/worker.md says why it does
// each thing.
//
//     java -cp /usr/share/java/postgresql.jar Worker.java

import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.postgresql.PGConnection;

class Worker {
    // REFUSED: will never be taken; FORBIDDEN: the token is wrong; GONE: the user has blocked the bot; THROTTLED: the
    // bot has to wait; FAILED: certainly not done; UNKNOWN: it may have been done
    enum Meaning { DONE, REFUSED, FORBIDDEN, GONE, THROTTLED, FAILED, UNKNOWN }

    record Reply(Meaning meaning, String description, Long messageId, int retryAfter) {}

    record Message(UUID userId, UUID id, int attempt, String bot, String address, String text) {}

    static final int LONGEST = 4096; // UTF-16 units, which is what a String's length counts
    static final String NAME = variable("WORKER_NAME", "java:" + ProcessHandle.current().pid());
    static final String TOKEN = variable("TELEGRAM_BOT_TOKEN", "");
    static final String API = variable("TELEGRAM_API_URL", "https://api.telegram.org");
    static final Duration TIMEOUT = Duration.ofSeconds(Integer.parseInt(variable("TELEGRAM_TIMEOUT", "30")));

    static volatile boolean isStopping;
    static int exitCode;
    Connection connection;
    boolean isThrottled; // so the rest of the claim is given back
    int longestWait = 60;

    public static void main(String[] arguments) {
        Thread worker = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> { // SIGTERM: what was started is finished
            isStopping = true;
            try {
                worker.join();
            } catch (InterruptedException error) {
                exitCode = 1;
            }
            Runtime.getRuntime().halt(exitCode);
        }));
        try {
            new Worker().run();
        } catch (SQLException | InterruptedException error) {
            say(error.getMessage());
            exitCode = 1;
        }
        if (exitCode == 3)
            say("Telegram refuses the token (401, 404): nothing is sent until it is right");
        if (!isStopping || exitCode != 0)
            Runtime.getRuntime().halt(exitCode);
    }

    void run() throws SQLException, InterruptedException {
        if (TOKEN.isEmpty()) {
            say("TELEGRAM_BOT_TOKEN is not set: @BotFather gives you one");
            exitCode = 2;
            return;
        }
        checkToken();
        while (!isStopping && exitCode == 0) {
            isThrottled = false;
            call("LISTEN companion"); // the connection may be another
            List<Message> messages = claim();
            for (Message message : messages)
                deliver(message);
            if (messages.isEmpty())
                waitForMessages();
        }
    }

    // A wrong one is found before anything is claimed
    void checkToken() throws InterruptedException {
        for (Reply reply; !isStopping && exitCode == 0 && (reply = ask("getMe", "")).meaning != Meaning.DONE;) {
            say("getMe: " + reply.description);
            if (reply.meaning == Meaning.FORBIDDEN)
                exitCode = 3;
            else
                Thread.sleep(1000L * Math.max(1, reply.retryAfter));
        }
    }

    List<Message> claim() throws SQLException {
        List<Message> messages = new ArrayList<>();
        ResultSet rows = rows("SELECT * FROM companion.claim_messages(?, 10, channels => '{telegram}')", NAME);
        while (rows.next())
            messages.add(new Message(rows.getObject("user_id", UUID.class), rows.getObject("message_id", UUID.class),
                rows.getInt("attempt"), rows.getString("bot"), rows.getString("address"), textOf(rows)));
        return messages;
    }

    // May be done twice, so it comes before start_send. Here your model writes what has no text.
    static String textOf(ResultSet message) throws SQLException {
        String content = message.getString("content"), name = message.getString("display_name");
        return content != null ? content : "Good morning" + (name != null ? ", " + name : "") + "! How are you?";
    }

    // A second at a time, since SIGTERM does not end it
    void waitForMessages() {
        try {
            for (int second = 0; second < longestWait && !isStopping; second++)
                if (connection.unwrap(PGConnection.class).getNotifications(1000) != null)
                    break;
        } catch (SQLException error) { // it is broken, and made again by the next call
            say("the database: " + error.getMessage());
        }
        longestWait = 60;
    }

    void deliver(Message message) throws SQLException, InterruptedException {
        if (isStopping || isThrottled || exitCode != 0)
            call("SELECT companion.release_message(?, ?, ?)", message.userId, message.id, message.attempt);
        else if (start(message))
            send(message);
    }

    // The point of no return. NULL: the channel's rate is used up; after a second the message is another's.
    boolean start(Message message) throws SQLException, InterruptedException {
        for (int i = 0; i < 10; i++) {
            Object answer = call("SELECT companion.start_send(?, ?, ?)", message.userId, message.id, message.attempt);
            if (answer != null)
                return (Boolean) answer;
            Thread.sleep(100);
        }
        call("SELECT companion.release_message(?, ?, ?)", message.userId, message.id, message.attempt);
        return false;
    }

    void send(Message message) throws SQLException, InterruptedException {
        List<String> parts = partsOf(message.text);
        List<Long> ids = new ArrayList<>();
        Reply reply = null;
        for (String part : parts) {
            reply = ids.isEmpty() ? sendPart(message.address, part) : sendLaterPart(message.address, part);
            if (reply.meaning != Meaning.DONE)
                break;
            ids.add(reply.messageId);
        }
        report(message, reply, String.join("", parts.subList(0, ids.size())), ids, parts.size());
    }

    void report(Message message, Reply reply, String sent, List<Long> ids, int parts) throws SQLException {
        if (reply.meaning != Meaning.DONE)
            say("message " + message.id + ": " + reply.description);
        if (reply.meaning == Meaning.FORBIDDEN)
            exitCode = 3;
        if (reply.meaning == Meaning.THROTTLED) { // all workers of the bot wait
            isThrottled = true;
            longestWait = Math.min(longestWait, reply.retryAfter);
            call("SELECT companion.throttle_channel('telegram', retry_after_seconds => ?, bot => ?)",
                reply.retryAfter, message.bot);
        }
        if (!ids.isEmpty()) // it is out, or some of it, so it must not come again
            call("SELECT companion.mark_sent(?, ?, ?, ?, telegram_message_id => ?, metadata => ?::jsonb)",
                message.userId, message.id, message.attempt, sent, ids.get(0), metadata(ids, parts));
        else if (reply.meaning != Meaning.UNKNOWN) // then it may be out: no report, and maintenance calls it unknown
            markFailed(message, reply);
    }

    static String metadata(List<Long> ids, int parts) {
        String missing = parts > ids.size() ? ", \"parts_missing\": " + (parts - ids.size()) : "";
        return parts > 1 ? "{\"telegram_message_ids\": " + ids + missing + "}" : "{}";
    }

    // Seconds to wait cost no try, as befits what is no fault of the message: a 429, or a wrong token
    void markFailed(Message message, Reply reply) throws SQLException {
        Integer wait = reply.meaning == Meaning.FORBIDDEN ? Integer.valueOf(60)
            : reply.meaning == Meaning.THROTTLED ? Integer.valueOf(reply.retryAfter) : null;
        call("SELECT companion.mark_failed(?, ?, ?, ?, retry_after_seconds => ?, permanent => ?, address_gone => ?)",
            message.userId, message.id, message.attempt, reply.description, wait, reply.meaning == Meaning.REFUSED,
            reply.meaning == Meaning.GONE);
    }

    // Models write Markdown, and not always such that Telegram takes it
    static Reply sendPart(String chat, String text) {
        String form = "chat_id=" + encoded(chat) + "&text=" + encoded(text);
        Reply reply = ask("sendMessage", form + "&parse_mode=Markdown");
        return reply.description.contains("can't parse entities") ? ask("sendMessage", form) : reply;
    }

    // Something is out before it, so the whole cannot come again: it waits, though not for ever
    static Reply sendLaterPart(String chat, String text) throws InterruptedException {
        for (int triesLeft = 3;; triesLeft--) {
            Reply reply = sendPart(chat, text);
            if (!Set.of(Meaning.THROTTLED, Meaning.FAILED).contains(reply.meaning) || triesLeft == 0)
                return reply;
            Thread.sleep(1000L * Math.min(Math.max(reply.retryAfter, 1), 60));
        }
    }

    // Cut after a paragraph, else a line, a sentence, a word, not in the first half; else after a character
    static List<String> partsOf(String text) {
        List<String> parts = new ArrayList<>();
        while (text.length() > LONGEST) {
            int cut = Character.isHighSurrogate(text.charAt(LONGEST - 1)) ? LONGEST - 1 : LONGEST;
            for (String end : List.of("\n\n", "\n", ". ", "! ", "? ", " ")) {
                int place = text.lastIndexOf(end, cut - end.length()) + end.length();
                if (place > cut / 2) {
                    cut = place;
                    break;
                }
            }
            parts.add(text.substring(0, cut));
            text = text.substring(cut);
        }
        parts.add(text);
        return parts;
    }

    // A client of its own: one that keeps connections may find one dead, and not say whether it was written to. The
    // description never has the URL, in which the token is.
    static Reply ask(String method, String form) {
        HttpClient client = HttpClient.newBuilder().version(Version.HTTP_1_1).connectTimeout(TIMEOUT).build();
        try {
            HttpRequest request = HttpRequest.newBuilder(URI.create(API + "/bot" + TOKEN + "/" + method))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(BodyPublishers.ofString(form)).build();
            var answer = client.sendAsync(request, BodyHandlers.ofString())
                .orTimeout(TIMEOUT.toSeconds(), TimeUnit.SECONDS).get();
            return read(answer.statusCode(), answer.body(), method.equals("sendMessage"));
        } catch (IllegalArgumentException error) {
            return new Reply(Meaning.FORBIDDEN, "the token is none (404)", null, 0);
        } catch (Exception error) {
            Throwable cause = error.getCause() != null ? error.getCause() : error;
            boolean isConnected = !(cause instanceof ConnectException || cause instanceof HttpConnectTimeoutException);
            return new Reply(isConnected ? Meaning.UNKNOWN : Meaning.FAILED, "no answer: " + cause, null, 0);
        }
    }

    // Three fields need no library for JSON
    static Reply read(int status, String body, boolean isMessage) {
        String id = field("\"message_id\":\\s*(-?\\d{1,18})\\s*[,}]", body);
        String wait = field("\"retry_after\":\\s*(-?\\d{1,18})\\s*[,}]", body);
        boolean isDone = body.startsWith("{") && field("(\"ok\":\\s*true)", body) != null && (id != null || !isMessage);
        String description = field("\"description\":\\s*\"((?:[^\"\\\\]++|\\\\.)*+)\"", body);
        Meaning meaning = switch (status) {
            case 200 -> isDone ? Meaning.DONE : Meaning.UNKNOWN; // a proxy's page
            case 400 -> Meaning.REFUSED;
            case 401, 404 -> Meaning.FORBIDDEN;
            case 403 -> Meaning.GONE;
            case 429 -> Meaning.THROTTLED;
            default -> status >= 500 ? Meaning.FAILED : Meaning.UNKNOWN;
        };
        return new Reply(meaning, status + (description != null ? " " + description : ""),
            id != null ? Long.valueOf(id) : null, wait != null ? (int) Math.min(Math.max(Long.parseLong(wait), 0), 86400) : 5);
    }

    static String field(String pattern, String body) {
        Matcher found = Pattern.compile(pattern).matcher(body);
        return found.find() ? found.group(1) : null;
    }

    Object call(String sql, Object... parameters) throws SQLException {
        ResultSet rows = rows(sql, parameters);
        return rows != null && rows.next() ? rows.getObject(1) : null;
    }

    // A statement that is a transaction of its own. All that is said here ends the same way when it is said twice, so
    // it is repeated until the server has answered; start_send, too: it is true once.
    ResultSet rows(String sql, Object... parameters) throws SQLException {
        for (;;)
            try {
                if (connection == null)
                    connection = DriverManager.getConnection(url());
                PreparedStatement statement = connection.prepareStatement(sql);
                statement.closeOnCompletion();
                for (int index = 0; index < parameters.length; index++)
                    statement.setObject(index + 1, parameters[index]);
                return statement.execute() ? statement.getResultSet() : null;
            } catch (SQLException error) {
                String state = error.getSQLState() != null ? error.getSQLState() : "";
                if (Set.of("55P03", "40P01", "40001").contains(state)) // whoever holds the user will end
                    continue;
                boolean isBroken = state.startsWith("08") || state.startsWith("57P");
                if (!isBroken || connection == null && isStopping)
                    throw error;
                say("the database: " + error.getMessage());
                connection = null;
                pause();
            }
    }

    static void pause() {
        try {
            Thread.sleep(1000);
        } catch (InterruptedException error) {
            isStopping = true;
        }
    }

    // JDBC knows no sockets but those of TCP
    static String url() {
        String host = variable("PGHOST", "localhost");
        String port = host.startsWith("/") ? variable("PGTCPPORT", "5432") : variable("PGPORT", "5432");
        return "jdbc:postgresql://" + (host.startsWith("/") ? "127.0.0.1" : host) + ":" + port + "/"
            + variable("PGDATABASE", "postgres")
            + "?user=" + encoded(variable("PGUSER", System.getProperty("user.name")))
            + (System.getenv("PGPASSWORD") != null ? "&password=" + encoded(System.getenv("PGPASSWORD")) : "");
    }

    static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    static String variable(String name, String otherwise) {
        String value = System.getenv(name);
        return value != null && !value.isEmpty() ? value : otherwise;
    }

    static void say(String line) {
        System.err.println(line);
    }
}
