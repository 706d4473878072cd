// JDBC: what a Java program passes without a cast, and what it gets back.
import java.sql.Array;
import java.sql.Connection;
import java.sql.Date;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.UUID;
import org.postgresql.PGConnection;
import org.postgresql.util.PGInterval;

class Jdbc {
    static final UUID MAYA = UUID.fromString("00000000-0000-7000-8000-0000000000a1");
    static Connection connection;

    static void ok(boolean holds, String subject) {
        System.out.println((holds ? "ok" : "not ok") + " - " + subject);
    }

    // A String is a varchar, an Integer, Long, Double, UUID or OffsetDateTime what it says
    static ResultSet call(String sql, Object... parameters) throws SQLException {
        PreparedStatement statement = connection.prepareStatement(sql);
        for (int index = 0; index < parameters.length; index++)
            statement.setObject(index + 1, parameters[index]);
        return statement.executeQuery();
    }

    static ResultSet row(String sql, Object... parameters) throws SQLException {
        ResultSet rows = call(sql, parameters);
        rows.next();
        return rows;
    }

    static String sqlState(String sql, Object... parameters) {
        try {
            call(sql, parameters);
            return null;
        } catch (SQLException error) {
            return error.getSQLState();
        }
    }

    static void messages() throws SQLException {
        // JSON is a String with a cast: a varchar is no jsonb
        ResultSet user = row("SELECT * FROM companion.put_user(?, ?::jsonb)", MAYA, "{\"checkin_time\": \"09:30\"}");
        ok(user.getObject("id").equals(MAYA) && user.getObject("checkin_time", LocalTime.class).equals(LocalTime.of(9, 30)),
           "a row of users");
        for (Object address : new Object[]{5000000001L, "5000000001", 77})
            ok(row("SELECT companion.link_address(?, 'telegram', ?)", MAYA, address).getString(1).equals("linked"),
               "link_address of " + address.getClass().getSimpleName());
        String incoming = "SELECT * FROM companion.record_incoming(?, ?, ?, telegram_message_id => ?)";
        ResultSet first = row(incoming, "telegram", 5000000001L, "hello", 1);
        ResultSet again = row(incoming, "telegram", "5000000001", "hello", 1L);
        ok(first.getBoolean("is_new") && !again.getBoolean("is_new")
               && first.getObject("message_id").equals(again.getObject("message_id")), "record_incoming of long and String");
        ResultSet last = row("SELECT * FROM companion.recent_messages(?)", MAYA);
        ok(last.getLong("telegram_message_id") == 1 && last.getObject("created_at", OffsetDateTime.class) != null
               && last.getString("metadata").equals("{}"), "bigint is long, jsonb a String, timestamptz an OffsetDateTime");
    }

    static void memory() throws SQLException {
        OffsetDateTime end = OffsetDateTime.of(2100, 1, 1, 0, 0, 0, 0, ZoneOffset.UTC);
        ResultSet item = row("SELECT * FROM companion.upsert_user_context(?, ?, ?, ?, importance => ?, expires_at => ?)",
                             MAYA, "family", "sister", "Ana", 0.1 + 0.2, end);
        ok(item.getDouble("importance") == 0.1 + 0.2 && item.getObject("expires_at", OffsetDateTime.class).isEqual(end),
           "a double for importance comes back as it was");
        // With all three arguments the one that takes text is chosen, and no cast is needed
        ok(row("SELECT outcome FROM companion.upsert_user_context_many(?, ?, ?)", MAYA,
               "[{\"category\": \"fact\", \"key\": \"dog\", \"value\": \"has one\"}]", "skip").getString(1).equals("added"),
           "facts as a String");
        Array embedding = connection.createArrayOf("float8", new Double[]{0.6, 0.8});
        ok(row("SELECT companion.set_embedding(?, ?, 'm', ?)", MAYA, item.getObject("id"), embedding).getBoolean(1),
           "an embedding is an array of float8");
        ok(row("SELECT key FROM companion.recall_user_context(?, embedding => ?, meaning_weight => ?)", MAYA, embedding, 2.5)
               .getString(1).equals("sister"), "recall by meaning");
    }

    static Object[] claimed(ResultSet message) throws SQLException {
        return new Object[]{message.getObject("user_id"), message.getObject("message_id"), message.getInt("attempt")};
    }

    static void sending() throws SQLException {
        for (int number = 0; number < 3; number++)
            row("SELECT * FROM companion.schedule_message(?, companion.now(), ?)", MAYA, "number " + number);
        ResultSet claim = row("SELECT * FROM companion.claim_messages(?, ?, ?, ?)", "jdbc", 10,
                              new PGInterval("2 minutes"), connection.createArrayOf("text", new String[]{"telegram"}));
        ok(claim.getString("address").equals("77") && claim.getObject("late_by") instanceof PGInterval
               && claim.getObject("send_before") == null && claim.getObject("local_date") instanceof Date,
           "claim: an interval is a PGInterval");
        String start = "SELECT companion.start_send(?, ?, ?)";
        Object[] m = claimed(claim);
        ok(row(start, m).getBoolean(1)
               && row("SELECT companion.mark_sent(?, ?, ?, ?, ?)", m[0], m[1], m[2], "hello", 17L).getBoolean(1), "mark_sent");
        claim.next();
        m = claimed(claim);
        // NULL from start_send is false for getBoolean: ask wasNull
        ResultSet started = row(start, m);
        ok(started.getBoolean(1) && !started.wasNull()
               && row("SELECT companion.mark_failed(?, ?, ?, 'busy', retry_after_seconds => ?)", m[0], m[1], m[2], 17)
                      .getBoolean(1), "seconds to wait");
        claim.next();
        Array users = connection.createArrayOf("uuid", new Object[]{claim.getObject("user_id")});
        Array ids = connection.createArrayOf("uuid", new Object[]{claim.getObject("message_id")});
        Array attempts = connection.createArrayOf("int4", new Object[]{claim.getInt("attempt")});
        Boolean[] answers = (Boolean[]) row("SELECT companion.start_send_many(?, ?, ?)", users, ids, attempts)
                                .getArray(1).getArray();
        ok(answers.length == 1 && answers[0], "arrays of uuid and int4");
    }

    static void errors() throws SQLException {
        String upsert = "SELECT companion.upsert_user_context(?, 'fact', 'k', ?, importance => ?)";
        ok("22023".equals(sqlState(upsert, MAYA, "v", 1.5)), "22023");
        ok("23503".equals(sqlState(upsert, UUID.randomUUID(), "v", 1)), "23503");
        ok("42501".equals(sqlState("SELECT companion.run_maintenance()")), "42501");
        // What needs a cast, or another type
        ok("42883".equals(sqlState("SELECT companion.put_user(?, ?)", MAYA, "{}")), "42883: a String for jsonb");
        ok("42883".equals(sqlState(upsert, MAYA.toString(), "v", 1)), "42883: a String for uuid");
        ok("42883".equals(sqlState("SELECT companion.claim_messages(?, ?)", "jdbc", 10L)), "42883: a long for integer");
        PreparedStatement statement = connection.prepareStatement(upsert);
        statement.setObject(1, MAYA.toString(), Types.OTHER);
        statement.setString(2, "v");
        statement.setNull(3, Types.DOUBLE);
        ok(statement.execute(), "a String of no type, by Types.OTHER; setNull with a type");
    }

    static void timesWithoutEnd() throws SQLException {
        row("SELECT * FROM companion.put_user(?, ?::jsonb)", MAYA, "{\"checkin_paused_until\": \"infinity\"}");
        ok(row("SELECT checkin_paused_until FROM companion.users WHERE id = ?", MAYA)
               .getObject(1, OffsetDateTime.class).equals(OffsetDateTime.MAX), "infinity in a table is OffsetDateTime.MAX");
        ok(row("SELECT * FROM companion.put_user(?, '{}')", MAYA).getObject("checkin_paused_until") == null,
           "and null from a function");
    }

    static void identity() throws SQLException {
        connection.setAutoCommit(false);
        connection.createStatement().execute("SET LOCAL ROLE companion_user");
        row("SELECT set_config('request.jwt.claims', ?, true)", "{\"sub\": \"" + UUID.randomUUID() + "\"}");
        ok(row("SELECT count(*) FROM companion.messages").getLong(1) == 0, "an end user sees their own");
        connection.rollback();
        connection.setAutoCommit(true);
    }

    static void notifications() throws SQLException {
        connection.createStatement().execute("LISTEN companion");
        row("SELECT * FROM companion.schedule_message(?, companion.now(), 'now')", MAYA);
        ok(connection.unwrap(PGConnection.class).getNotifications(10000).length > 0, "a notification of what is due");
    }

    public static void main(String[] arguments) throws SQLException {
        connection = DriverManager.getConnection(System.getenv("JDBC_URL"));
        System.out.println("# pgjdbc " + connection.getMetaData().getDriverVersion());
        messages();
        memory();
        sending();
        errors();
        timesWithoutEnd();
        identity();
        notifications();
    }
}
