// telegram-test-api, which others wrote, in the place of our server: server.mjs PORT
//
// Prints its URL. Each line of standard input is a chat and what its user writes, {"chat": 111, "text": "hello"}, or
// null; each is answered by all that the bot has sent so far.
import readline from 'node:readline';
import TelegramServer from 'telegram-test-api';

const token = '12345:test';
const server = new TelegramServer({ port: Number(process.argv[2]), host: '127.0.0.1' });
await server.start();
console.log(server.config.apiURL);

for await (const line of readline.createInterface({ input: process.stdin })) {
    const said = JSON.parse(line);
    if (said) {
        const client = server.getClient(token, { userId: said.chat, chatId: said.chat });
        await client.sendMessage(client.makeMessage(said.text));
    }
    console.log(JSON.stringify(server.storage.botMessages.map(sent =>
        ({ chat: String(sent.message.chat_id), text: sent.message.text, id: sent.messageId }))));
}
await server.stop();
