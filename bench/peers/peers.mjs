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

function fail(error) {
    throw error;
}

// A pool of the connections of one side, which has its tables in a schema
function connect(schema) {
    const pool = new pg.Pool({ max: connections, options: `-c search_path=${schema},public` });
    pool.on('error', fail);
    pool.on('connect', (client) => client.on('error', fail));
    return pool;
}

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

function markSending(client, ids) {
    if (ids.length === 1) return query(client, 'sending one', sendingOne, ids);
    return query(client, 'sending many', sendingMany, [ids]);
}

function file(client, ids) {
    if (ids.length === 1) return query(client, 'finish one', finishOne, [ids[0], text]);
    return query(client, 'finish many', finishMany, [ids, texts(ids)]);
}

// Seconds that so many workers as there are connections take; each takes a batch and finishes it
async function drain(messages, batch, work) {
    let left = messages;
    const start = performance.now();
    await Promise.all(
        Array.from({ length: connections }, async () => {
            while ((left -= batch) >= 0) await work(batch);
        })
    );
    return { messages, seconds: (performance.now() - start) / 1000 };
}

const ours = {
    name: 'companion',
    pool: connect('public'),
    tables: ['companion.scheduled_messages', 'companion.dispatch_queue', 'companion.messages', 'companion.conversations'],
    finished: "companion.scheduled_messages WHERE status = 'sent'",
    prepare() {},
    fill: () => ours.pool.query('CALL load_ours()'),
    drain: (messages, batch) => drain(messages, batch, workOurs),
};

async function workOurs(batch) {
    const call = (name, sql, values) => query(ours.pool, `${name} of ${batch}`, sql, values);
    const { rows } = await call('claim', 'SELECT * FROM companion.claim_messages($1, $2)', ['bench', batch]);
    const columns = ['user_id', 'message_id', 'attempt'].map((name) => rows.map((row) => row[name]));
    const many = batch === 1 ? '' : '_many';
    const given = batch === 1 ? columns.map((column) => column[0]) : columns;
    await call('start', `SELECT companion.start_send${many}($1, $2, $3)`, given);
    const contents = batch === 1 ? text : texts(rows);
    await call('sent', `SELECT companion.mark_sent${many}($1, $2, $3, $4)`, [...given, contents]);
}

// What the peers have in common: the app's tables, in a schema of their own
const app = {
    tables: ['occasions', 'conversations', 'messages'],
    finished: "occasions AS o JOIN messages AS m ON m.id = o.message_id WHERE o.status = 'sent'",
};

const bossPool = connect('on_pg_boss');
const boss = new PgBoss({
    db: { executeSql: (sql, values) => bossPool.query(sql, values) },
    supervise: false,
    schedule: false,
});

const pgBoss = {
    ...app,
    name: 'pg-boss',
    pool: bossPool,
    async prepare() {
        await boss.start();
        await boss.createQueue('due', { partition: true });
        this.tables = [...app.tables, `pgboss.${(await boss.getQueue('due')).table}`];
    },
    async fill() {
        await boss.deleteAllJobs('due');
        await bossPool.query('CALL forget()');
        await bossPool.query('CALL add_occasions()');
        const { rows } = await bossPool.query('SELECT payload FROM jobs ORDER BY occasion_id');
        for (let i = 0; i < rows.length; i += 1000)
            await boss.insert('due', rows.slice(i, i + 1000).map((row) => ({ data: row.payload })));
    },
    drain: (messages, batch) => drain(messages, batch, workPgBoss),
};

async function workPgBoss(batch) {
    const jobs = await boss.fetch('due', { batchSize: batch });
    const occasions = jobs.map((job) => job.data.occasion_id);
    await markSending(bossPool, occasions);
    const client = await bossPool.connect();
    const db = { executeSql: (sql, values) => client.query(sql, values) };
    await client.query('BEGIN');
    await file(client, occasions);
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

const graphilePool = connect('on_graphile_worker');
const graphileWorker = {
    ...app,
    name: 'graphile-worker',
    pool: graphilePool,
    tables: [...app.tables, 'graphile_worker._private_jobs'],
    prepare: () => runMigrations({ pgPool: graphilePool }),
    async fill() {
        await graphilePool.query('TRUNCATE graphile_worker._private_jobs');
        await graphilePool.query('CALL forget()');
        await graphilePool.query('CALL add_occasions()');
        await graphilePool.query(`
            SELECT count(*) FROM (
                SELECT array_agg(('due', payload, NULL, scheduled_for, NULL, NULL, NULL, NULL
                                 )::graphile_worker.job_spec ORDER BY occasion_id) AS specs
                FROM jobs GROUP BY occasion_id / 1000) AS batches,
                graphile_worker.add_jobs(specs)`);
    },
    drain: drainGraphileWorker,
};

// One job is one message there; in batches, it fetches and completes many at once, and so do we
async function drainGraphileWorker(messages, batch) {
    const mark = (ids) => markSending(graphilePool, ids);
    const end = (ids) => file(graphilePool, ids);
    const [markOne, endOne] = [inBatches(batch, mark), inBatches(batch, end)];
    let done = 0;
    let finished;
    const all = new Promise((resolve) => (finished = resolve));
    const began = performance.now();
    const runner = await run({
        pgPool: graphilePool,
        noHandleSignals: true,
        taskList: {
            due: async ({ occasion_id: id }) => {
                await markOne(id);
                await endOne(id);
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
    return { messages: done, seconds: (performance.now() - began) / 1000 };
}

async function settle(side, batch) {
    await side.fill();
    await side.pool.query(`VACUUM ANALYZE ${side.tables.join(', ')}`);
    await side.pool.query('CHECKPOINT');
    const warm = await side.drain(batch * connections, batch);
    side.finishedBefore = warm.messages;
    side.took = { messages: 0, seconds: 0 };
}

async function takeTurn(side, batch, messages) {
    const took = await side.drain(messages, batch);
    side.took.messages += took.messages;
    side.took.seconds += took.seconds;
    const { rows } = await side.pool.query(`SELECT count(*)::integer FROM ${side.finished}`);
    if (rows[0].count !== side.finishedBefore + side.took.messages) throw new Error(`${side.name} finished ${rows[0].count} messages`);
}

const sides = [ours, graphileWorker, pgBoss];

// They take turns, a slice of the messages each, so that whatever else the machine does meets all of them
async function compare(how, batch, slices, messages, target) {
    for (const side of sides) await settle(side, batch);
    for (let slice = 0; slice < slices; slice++)
        for (let i = 0; i < sides.length; i++) await takeTurn(sides[(slice + i) % sides.length], batch, messages);
    const rate = (side) => side.took.messages / side.took.seconds;
    for (const peer of sides.slice(1))
        console.log([`${how}, by node-postgres; on ${peer.name}`, '/s', rate(ours), rate(peer), target].join('\t'));
}

for (const side of sides) await side.prepare();
for (let round = 0; round < Number(process.env.BENCH_ROUNDS); round++) {
    await compare('batches of 50', 50, size(10, 2), size(10000, 1000), '>= 1.3');
    await compare('one at a time', 1, size(10, 2), size(1000, 100), '>= 1');
}
await boss.stop({ graceful: false });
for (const side of sides) await side.pool.end();
