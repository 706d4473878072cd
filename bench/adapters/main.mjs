// What lets the benchmark postgresql-job-queue-benchmarking run companion: a producer that schedules
// messages and workers that claim, start and mark them sent, by the public functions alone. Its README
// in this folder says how; CONTRIBUTING_ADAPTERS.md of that benchmark says what is read from the
// environment and written to stdout.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const environment = process.env;
const number = (name, otherwise) => Number(environment[name] ?? otherwise);

const settings = {
    instance: number('BENCH_INSTANCE_ID', 0),
    mode: environment.PRODUCER_MODE ?? 'fixed',
    pacing: environment.PRODUCER_PACING ?? 'adapter',
    rate: number('PRODUCER_RATE', 800),
    mostProduced: number('PRODUCER_BATCH_MAX', 128),
    producerPause: number('PRODUCER_BATCH_MS', 25),
    depth: number('TARGET_DEPTH', 1000),
    workers: number('WORKER_COUNT', 32),
    mostClaimed: number('COMPANION_CLAIM_MAX', 50),
    payload: 'x'.repeat(Math.max(1, number('JOB_PAYLOAD_BYTES', 256))),
    workTime: number('JOB_WORK_MS', 1),
    sampleEvery: number('SAMPLE_EVERY_S', 5),
};
const users = 1000;
const window = 30; // seconds

const pool = new pg.Pool({ connectionString: environment.DATABASE_URL, max: settings.workers + 3 });
pool.on('error', () => {});
pool.on('connect', (client) => client.on('error', () => {}));

let isStopped = false;
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => (isStopped = true));

// The newest of a kind of latency, in milliseconds; of no more than some it keeps all
class Latencies {
    #newest = [];

    add(milliseconds) {
        this.#newest.push([Date.now(), milliseconds]);
        if (this.#newest.length > 65536) this.#newest = this.#newest.slice(-32768);
    }

    percentile(share) {
        const since = Date.now() - window * 1000;
        const values = this.#newest.filter(([at]) => at >= since).map(([, value]) => value);
        values.sort((a, b) => a - b);
        return values[Math.min(values.length - 1, Math.round(share * (values.length - 1)))] ?? 0;
    }
}

const latencies = { producer: new Latencies(), claim: new Latencies(), end_to_end: new Latencies() };
const counts = { enqueued: 0, completed: 0, depth: 0 };

const query = (name, text, values) => pool.query({ name, text, values });

async function setUp() {
    await pool.query(
        `INSERT INTO companion.users (id, timezone)
         SELECT lpad(n::text, 32, '0')::uuid, 'UTC' FROM generate_series(1, $1) AS n
         ON CONFLICT DO NOTHING`,
        [users]
    );
    await pool.query("SELECT companion.claim_messages('warm', 1)");
}

// Schedule so many messages for as many users, due at once
async function produce(messages) {
    const start = Date.now();
    await query(
        'schedule',
        `SELECT companion.schedule_message(lpad((1 + (n + $3) % $4)::text, 32, '0')::uuid,
                                           companion.now(), $2)
         FROM generate_series(1, $1::integer) AS n`,
        [messages, settings.payload, Math.floor(Math.random() * users), users]
    );
    counts.enqueued += messages;
    latencies.producer.add((Date.now() - start) / messages);
}

// The harness says on stdin when to produce how many
async function produceWhenTold() {
    for await (const line of createInterface({ input: process.stdin })) {
        const [, messages] = /^ENQUEUE (\d+)$/.exec(line) ?? [];
        if (messages) await persist(() => produce(Number(messages)));
        if (isStopped) return;
    }
}

function currentRate() {
    try {
        return Number(readFileSync(environment.PRODUCER_RATE_CONTROL_FILE, 'utf8')) || settings.rate;
    } catch {
        return settings.rate;
    }
}

async function produceAtRate() {
    let credit = 0;
    let before = performance.now();
    while (!isStopped) {
        const now = performance.now();
        if (settings.mode === 'depth-target') credit = settings.depth - counts.enqueued + counts.completed;
        else credit += (currentRate() * (now - before)) / 1000;
        before = now;
        const messages = Math.min(settings.mostProduced, Math.floor(credit));
        if (messages > 0) await persist(() => produce(messages));
        credit -= Math.max(0, messages);
        if (credit < 1) await sleep(settings.producerPause);
    }
}

const fields = ['user_id', 'message_id', 'attempt'];

// Claim some messages, send them, and report; false when there were none
async function work(name) {
    const { rows } = await query('claim', 'SELECT * FROM companion.claim_messages($1, $2)', [name, settings.mostClaimed]);
    const claimedAt = Date.now();
    if (rows.length === 0) return false;
    for (const row of rows) latencies.claim.add(claimedAt - row.scheduled_for);
    const { rows: [{ started }] } = await query('start', 'SELECT companion.start_send_many($1, $2, $3) AS started',
        fields.map((field) => rows.map((row) => row[field])));
    const sent = rows.filter((_, place) => started[place] === true);
    if (sent.length > 0) {
        await sleep(settings.workTime * sent.length);
        await report(sent);
    }
    return true;
}

// What another transaction holds is asked for again; what was sent must be reported
async function report(sent) {
    let left = sent;
    while (left.length > 0) {
        const { rows: [{ marked }] } = await persist(() => query('sent', 'SELECT companion.mark_sent_many($1, $2, $3, NULL) AS marked',
            fields.map((field) => left.map((row) => row[field]))));
        const done = left.filter((_, place) => marked[place] === true);
        counts.completed += done.length;
        for (const row of done) latencies.end_to_end.add(Date.now() - row.scheduled_for);
        left = left.filter((_, place) => marked[place] === null);
        if (left.length > 0) await sleep(200);
    }
}

// Go on trying while the server is away
async function persist(action) {
    for (;;) {
        try {
            return await action();
        } catch (error) {
            process.stderr.write(`${error.message}\n`);
            if (isStopped) throw error;
            await sleep(200);
        }
    }
}

async function keepWorking(name) {
    while (!isStopped) if (!(await persist(() => work(name)).catch(() => false))) await sleep(20);
}

async function watchDepth() {
    while (!isStopped) {
        await pool
            .query("SELECT count(*)::integer AS depth FROM companion.pending_messages WHERE state = 'due'")
            .then(({ rows }) => (counts.depth = rows[0].depth))
            .catch(() => {});
        await sleep(1000);
    }
}

const emit = (record) => process.stdout.write(`${JSON.stringify({ instance_id: settings.instance, system: 'companion', ...record })}\n`);

async function describe() {
    const { rows: [{ version }] } = await pool.query("SELECT extversion AS version FROM pg_extension WHERE extname = 'companion'");
    const manifest = JSON.parse(readFileSync(new URL('adapter.json', import.meta.url)));
    emit({ kind: 'descriptor', event_tables: manifest.event_tables, extensions: manifest.extensions, version,
        schema_version: version, db_name: manifest.db_name, started_at: new Date().toISOString() });
}

// The figures of the time since the last sample; those of all instances come from the first alone
function figures(before) {
    const each = Object.entries(latencies).flatMap(([name, kept]) =>
        [50, 95, 99].map((percent) => [`${name}_p${percent}_ms`, kept.percentile(percent / 100), window]));
    const rates = [['enqueue_rate', 'enqueued'], ['completion_rate', 'completed']].map(([metric, count]) =>
        [metric, (counts[count] - before[count]) / settings.sampleEvery, settings.sampleEvery]);
    const ofAll = [['queue_depth', counts.depth, 0], ['producer_target_rate', currentRate(), 0]];
    return [...each, ...rates, ...(settings.instance === 0 ? ofAll : [])];
}

async function sampleRegularly() {
    const period = settings.sampleEvery * 1000;
    let before = { ...counts };
    while (!isStopped) {
        await sleep(period - (Date.now() % period));
        for (const [metric, value, seconds] of figures(before))
            emit({ kind: 'adapter', t: new Date().toISOString(), subject_kind: 'adapter', subject: '', metric, value, window_s: seconds });
        before = { ...counts };
    }
}

await persist(setUp);
await describe();
const isTold = settings.pacing === 'harness' && settings.mode === 'fixed';
(isTold ? produceWhenTold() : produceAtRate()).catch(() => {});
watchDepth();
sampleRegularly();
await Promise.all(Array.from({ length: settings.workers }, (_, i) => keepWorking(`worker ${settings.instance}.${i}`)));
process.exit(0);
