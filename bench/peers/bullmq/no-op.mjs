/** What a sandbox of BullMQ runs: a file that is deployed with its worker. */
export default async () => {};
