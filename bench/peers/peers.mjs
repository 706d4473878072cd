// The peers that are libraries of Node.js, and ours by the same client, node-postgres: graphile-worker
// and pg-boss, by their documented fast paths, over four connections. Prints figures as
// bench/measure.sh says.
import { readFileSync } from 'node:fs';
import { Logger, run, runMigrations } from 'graphile-worker';
import pg from 'pg';
import { PgBoss } from 'pg-boss';

const connections = 4;
const text = 'Good morning! How did you sleep, and what is the one thing for today?';
const isQuick = process.env.BENCH_QUICK !== '';
const size = (full, quick) => (isQuick ? quick : full);
const pool = new pg.Pool({ max: connections });
const fail = (error) => {
    throw error;
};
pool.on('error', fail);
pool.on('connect', (client) => client.on('error', fail));

const quiet = new Logger(() => () => {});

// A statement of this folder for what is given
function statement(name, given) {
    return readFileSync(new URL(`${name}.sql`, import.meta.url), 'utf8').replace('FROM :given', `FROM ${given}`);
}

const sendingOne = statement('sending', '(VALUES ($1::bigint))');
const sendingMany = statement('sending', 'unnest($1::bigint[])');
const finishOne = statement('finish', '(VALUES ($1::bigint, $2::text))') + 'SELECT';
const finishMany = statement('finish', 'unnest($1::bigint[], $2::text[])') + 'SELECT';
const texts = (ids) => ids.map(() => text);

const query = (client, name, sql, values) => client.query({ name, text: sql, values });

function markSending(ids, client = pool) {
    if (ids.length === 1) return query(client, 'sending one', sendingOne, ids);
    return query(client, 'sending many', sendingMany, [ids]);
}

function file(ids, client = pool) {
    if (ids.length === 1) return query(client, 'finish one', finishOne, [ids[0], text]);
    return query(client, 'finish many', finishMany, [ids, texts(ids)]);
}

async function settle(fill, tables) {
    await fill();
    await pool.query(`VACUUM ANALYZE ${tables}`);
    await pool.query('CHECKPOINT');
}

// Messages a second of as many workers as connections, each of which takes a batch and finishes it
async function drain(messages, batch, work) {
    let left = messages;
    const start = performance.now();
    await Promise.all(
        Array.from({ length: connections }, async () => {
            while ((left -= batch) >= 0) await work();
        })
    );
    return messages / ((performance.now() - start) / 1000);
}

const finishedInApp = "app.occasions JOIN app.messages AS m ON m.id = message_id WHERE status = 'sent'";

const ours = {
    name: 'companion',
    finished: "companion.scheduled_messages WHERE status = 'sent'",
    fill: () => pool.query('CALL load_ours()'),
    tables: 'companion.scheduled_messages, companion.dispatch_queue, companion.messages, companion.conversations',
    drain: (messages, batch) => drain(messages, batch, () => workOurs(batch)),
};

async function workOurs(batch) {
    const { rows } = await query(pool, `claim${batch}`, 'SELECT * FROM companion.claim_messages($1, $2)', ['bench', batch]);
    const columns = ['user_id', 'message_id', 'attempt'].map((name) => rows.map((row) => row[name]));
    const many = batch === 1 ? '' : '_many';
    const given = batch === 1 ? columns.map((column) => column[0]) : columns;
    await query(pool, `start${many}`, `SELECT companion.start_send${many}($1, $2, $3)`, given);
    const contents = batch === 1 ? text : texts(rows);
    await query(pool, `sent${many}`, `SELECT companion.mark_sent${many}($1, $2, $3, $4)`, [...given, contents]);
}

const boss = new PgBoss({
    db: { executeSql: (sql, values) => pool.query(sql, values) },
    supervise: false,
    schedule: false,
});

const pgBoss = {
    name: 'pg-boss',
    finished: finishedInApp,
    async prepare() {
        await boss.start();
        await boss.createQueue('due', { partition: true });
        this.tables = `app.occasions, app.conversations, app.messages, pgboss.${(await boss.getQueue('due')).table}`;
    },
    async fill() {
        await boss.deleteAllJobs('due');
        await pool.query('CALL app.load_occasions()');
        const { rows } = await pool.query('SELECT payload FROM app.jobs ORDER BY occasion_id');
        for (let i = 0; i < rows.length; i += 1000)
            await boss.insert('due', rows.slice(i, i + 1000).map((row) => ({ data: row.payload })));
    },
    drain: (messages, batch) => drain(messages, batch, () => workPgBoss(batch)),
};

async function workPgBoss(batch) {
    const jobs = await boss.fetch('due', { batchSize: batch });
    const occasions = jobs.map((job) => job.data.occasion_id);
    await markSending(occasions);
    const client = await pool.connect();
    const db = { executeSql: (sql, values) => client.query(sql, values) };
    await client.query('BEGIN');
    await file(occasions, client);
    await boss.complete('due', jobs.map((job) => job.id), null, { db });
    await client.query('COMMIT');
    client.release();
}

// Calls for one each, made into calls for up to so many
function inBatches(most, call) {
    let waiting = [];
    const flush = () => {
        const batch = waiting;
        waiting = [];
        if (batch.length === 0) return;
        call(batch.map(([id]) => id)).then(
            () => batch.forEach(([, resolve]) => resolve()),
            (error) => batch.forEach(([, , reject]) => reject(error))
        );
    };
    return (id) =>
        new Promise((resolve, reject) => {
            waiting.push([id, resolve, reject]);
            if (waiting.length === most) flush();
            else if (waiting.length === 1) setTimeout(flush, 2);
        });
}

const graphileWorker = {
    name: 'graphile-worker',
    finished: finishedInApp,
    tables: 'app.occasions, app.conversations, app.messages, graphile_worker._private_jobs',
    prepare: () => runMigrations({ pgPool: pool }),
    async fill() {
        await pool.query('TRUNCATE graphile_worker._private_jobs');
        await pool.query('CALL app.load_occasions()');
        await pool.query(`
            SELECT count(*) FROM (
                SELECT array_agg(('due', payload, NULL, scheduled_for, NULL, NULL, NULL, NULL
                                 )::graphile_worker.job_spec ORDER BY occasion_id) AS specs
                FROM app.jobs GROUP BY occasion_id / 1000) AS batches,
                graphile_worker.add_jobs(specs)`);
    },
    drain: drainGraphileWorker,
};

// One job is one message there; in batches, it fetches and completes many at once, and so do we
async function drainGraphileWorker(messages, batch) {
    const [start, end] = batch === 1 ? [(id) => markSending([id]), (id) => file([id])]
        : [inBatches(batch, markSending), inBatches(batch, file)];
    let done = 0;
    let finished;
    const all = new Promise((resolve) => (finished = resolve));
    const began = performance.now();
    const runner = await run({
        pgPool: pool,
        noHandleSignals: true,
        taskList: {
            due: async ({ occasion_id: id }) => {
                await start(id);
                await end(id);
                if (++done >= messages) finished();
            },
        },
        preset: {
            worker: {
                concurrentJobs: connections * batch,
                ...(batch > 1 && { localQueue: { size: connections * batch + 1 }, completeJobBatchDelay: 0 }),
            },
        },
        logger: quiet,
    });
    await all;
    await runner.stop();
    return done / ((performance.now() - began) / 1000);
}

async function throughput(side, batch, messages) {
    await settle(() => side.fill(), side.tables);
    const rate = await side.drain(messages, batch);
    const { rows } = await pool.query(`SELECT count(*)::integer FROM ${side.finished}`);
    if (rows[0].count < messages) throw new Error(`${side.name} finished ${rows[0].count} messages`);
    return rate;
}

async function compare(how, batch, messages, target) {
    const ourRate = await throughput(ours, batch, messages);
    for (const peer of [graphileWorker, pgBoss]) {
        const rate = await throughput(peer, batch, messages);
        console.log([`${how}, by node-postgres; on ${peer.name}`, '/s', ourRate, rate, target].join('\t'));
    }
}

for (const peer of [graphileWorker, pgBoss]) await peer.prepare();
for (let round = 0; round < Number(process.env.BENCH_ROUNDS); round++) {
    await compare('batches of 50', 50, size(100000, 2000), '>= 1.3');
    await compare('one at a time', 1, size(10000, 200), '>= 1');
}
await boss.stop({ graceful: false });
await pool.end();
