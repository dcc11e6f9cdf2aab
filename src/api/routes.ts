/** Every route of the API, in the order of the documentation. */

import { invalidDocument } from '../document.ts';
import { CronkeeperError } from '../errors.ts';
import { previewSchedule } from '../schedule.ts';
import type { TaskDocument } from '../task.ts';
import type { PutOptions, RunRequest } from '../tasks.ts';
import { json, jsonPage } from './answer.ts';
import { checked, JSON_CONTENT_TYPE, readBody, YAML_CONTENT_TYPE } from './body.ts';
import { etagOf, readConditions } from './conditions.ts';
import { type Call, type Route, route } from './route.ts';
import * as schemas from './schemas.ts';

const ETAG = { ETag: 'The revision of the definition, in quotes.' };
const IF_MATCH = { 'If-Match': 'An ETag: only if the definition is still this one. `*`: only if there is one.' };

const noTask = (id: string): CronkeeperError => new CronkeeperError('not-found', `task ${id} does not exist`);

const conditionsOf = ({ request, tasks, id }: Call<unknown>): Promise<PutOptions> =>
  readConditions(request.headers, async () => {
    const found = await tasks.get(id);
    return found !== undefined && 'revision' in found ? found.revision : undefined;
  });

/** The document with its id from the path. */
function documentFor(id: string, body: unknown): TaskDocument {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    const message = 'allowed: a task document, as JSON or YAML';
    throw invalidDocument('task', [{ field: '', message }]);
  }
  if ('id' in body && body.id !== undefined && body.id !== id) {
    throw invalidDocument('task', [{ field: 'id', message: 'differs from the id in the path; leave it out here' }]);
  }
  // Whether it is one, the registry finds out: it reads all documents alike.
  return { ...body, id } as TaskDocument;
}

const putTask = route(
  {
    method: 'PUT',
    path: '/v1/tasks/{id}',
    operationId: 'putTask',
    summary: 'Store a task, or change it; the same document again changes nothing',
    access: 'write',
    query: schemas.noQuery,
    headers: { ...IF_MATCH, 'If-None-Match': '`*`: only if there is no such task.' },
    body: { schema: schemas.putBody, required: true, contentTypes: [JSON_CONTENT_TYPE, YAML_CONTENT_TYPE] },
    answers: {
      200: { description: 'Changed, or as it was.', schema: schemas.task, headers: ETAG },
      201: { description: 'Stored.', schema: schemas.task, headers: { ...ETAG, Location: 'Path of the task.' } },
    },
    problems: [409, 412],
  },
  async (call) => {
    const { tasks, request, id } = call;
    const conditions = await conditionsOf(call);
    const { created, ...view } = await tasks.put(documentFor(id, await readBody(request)), conditions);
    const location = created ? { location: `/v1/tasks/${encodeURIComponent(id)}` } : undefined;
    return json(view, created ? 201 : 200, { etag: etagOf(view.revision), ...location });
  },
);

const getTask = route(
  {
    method: 'GET',
    path: '/v1/tasks/{id}',
    operationId: 'getTask',
    summary: 'A task, its code, and where it stands',
    access: 'read',
    query: schemas.noQuery,
    answers: { 200: { description: 'The task.', schema: schemas.anyTask, headers: ETAG } },
    problems: [404],
  },
  async ({ tasks, id }) => {
    const view = await tasks.get(id);
    if (view === undefined) throw noTask(id);
    return json(view, 200, 'revision' in view ? { etag: etagOf(view.revision) } : {});
  },
);

const deleteTask = route(
  {
    method: 'DELETE',
    path: '/v1/tasks/{id}',
    operationId: 'deleteTask',
    summary: 'Remove a task; a run under way ends, and is recorded',
    access: 'write',
    query: schemas.noQuery,
    headers: IF_MATCH,
    answers: { 204: { description: 'Removed.' } },
    problems: [404, 409, 412],
  },
  async (call) => {
    const { ifMatch } = await conditionsOf(call);
    const isRemoved = await call.tasks.remove(call.id, ifMatch === undefined ? {} : { ifMatch });
    if (!isRemoved) throw noTask(call.id);
    return new Response(null, { status: 204 });
  },
);

const listTasks = route(
  {
    method: 'GET',
    path: '/v1/tasks',
    operationId: 'listTasks',
    summary: 'Tasks, each once, in a stable order',
    access: 'read',
    query: schemas.listQuery,
    answers: { 200: { description: 'A page; with a cursor there may be more.', schema: schemas.taskPage } },
  },
  ({ tasks, query }) => jsonPage(query.limit, (limit) => tasks.list({ ...query, limit })),
);

const runTask = route(
  {
    method: 'POST',
    path: '/v1/tasks/{id}/run',
    operationId: 'runTask',
    summary: 'Ask for a launch now; the schedule does not move',
    access: 'write',
    query: schemas.noQuery,
    headers: { 'Idempotency-Key': 'In place of `key` in the body.' },
    body: { schema: schemas.runBody, required: false, contentTypes: [JSON_CONTENT_TYPE, YAML_CONTENT_TYPE] },
    answers: { 202: { description: 'It will be run by the next tick.', schema: schemas.launchAsked } },
    problems: [404],
  },
  async ({ tasks, request, id }) => {
    const asked = runRequest(await readBody(request), request.headers.get('idempotency-key'));
    return json(await tasks.run(id, asked), 202, { location: `/v1/tasks/${encodeURIComponent(id)}/runs` });
  },
);

function runRequest(body: unknown, header: string | null): RunRequest {
  const { input, key } = checked('run request', schemas.runBody, body === undefined ? {} : body);
  const either = eitherKey('run request', key, header);
  return { ...(input !== undefined && { input }), ...(either !== undefined && { key: either }) };
}

function eitherKey(what: string, key: string | undefined, header: string | null): string | undefined {
  // The header's own draft writes a string in quotes; everybody else leaves them out.
  const headerKey = header === null ? undefined : header.replace(/^"(.*)"$/, '$1');
  if (key !== undefined && headerKey !== undefined && key !== headerKey) {
    throw invalidDocument(what, [{ field: 'key', message: 'differs from the header Idempotency-Key' }]);
  }
  return headerKey ?? key;
}

const redriveTask = route(
  {
    method: 'POST',
    path: '/v1/tasks/{id}/redrive',
    operationId: 'redriveTask',
    summary: 'Launch again what failed for good; its dead letters go',
    access: 'write',
    query: schemas.noQuery,
    body: { schema: schemas.redriveBody, required: false, contentTypes: [JSON_CONTENT_TYPE, YAML_CONTENT_TYPE] },
    answers: { 202: { description: 'They will be run by the next tick.', schema: schemas.redrive } },
    problems: [404],
  },
  async ({ tasks, request, id }) => {
    const { launchId } = checked('redrive request', schemas.redriveBody, (await readBody(request)) ?? {});
    return json(await tasks.redrive(id, launchId), 202);
  },
);

const backfillTask = route(
  {
    method: 'POST',
    path: '/v1/tasks/{id}/backfill',
    operationId: 'backfillTask',
    summary: 'Launch every slot of a range of the past, oldest first; the schedule does not move',
    access: 'write',
    query: schemas.noQuery,
    headers: { 'Idempotency-Key': 'In place of `key` in the body.' },
    body: { schema: schemas.backfillBody, required: true, contentTypes: [JSON_CONTENT_TYPE, YAML_CONTENT_TYPE] },
    answers: { 202: { description: 'It begins with the next tick.', schema: schemas.backfillAsked } },
    problems: [404, 409],
  },
  async ({ tasks, request, id }) => {
    const { key, ...range } = checked('backfill request', schemas.backfillBody, await readBody(request));
    const either = eitherKey('backfill request', key, request.headers.get('idempotency-key'));
    return json(await tasks.backfill(id, { ...range, ...(either !== undefined && { key: either }) }), 202);
  },
);

const switchRoute = (action: 'pause' | 'resume', summary: string): Route =>
  route(
    {
      method: 'POST',
      path: `/v1/tasks/{id}/${action}`,
      operationId: `${action}Task`,
      summary,
      access: 'write',
      query: schemas.noQuery,
      answers: { 200: { description: 'The task as it is now.', schema: schemas.task, headers: ETAG } },
      problems: [404, 409],
    },
    async ({ tasks, id }) => {
      const view = await tasks[action](id);
      return json(view, 200, { etag: etagOf(view.revision) });
    },
  );

const listRuns = route(
  {
    method: 'GET',
    path: '/v1/tasks/{id}/runs',
    operationId: 'listRuns',
    summary: 'The runs of a task, newest first; of a removed task for a week',
    access: 'read',
    query: schemas.runsQuery,
    answers: { 200: { description: 'A page; with a cursor there may be more.', schema: schemas.runPage } },
    problems: [404],
  },
  ({ tasks, id, query }) => jsonPage(query.limit, (limit) => tasks.runs(id, { ...query, limit })),
);

const listDeadLetters = route(
  {
    method: 'GET',
    path: '/v1/dead-letters',
    operationId: 'listDeadLetters',
    summary: 'Launches that failed for good',
    access: 'read',
    query: schemas.deadLettersQuery,
    answers: { 200: { description: 'A page; with a cursor there may be more.', schema: schemas.deadLetterPage } },
  },
  ({ tasks, query }) => jsonPage(query.limit, (limit) => tasks.deadLetters({ ...query, limit })),
);

const listAudit = route(
  {
    method: 'GET',
    path: '/v1/audit',
    operationId: 'listAudit',
    summary: 'Who changed what, newest first; kept for 90 days',
    access: 'read',
    query: schemas.auditQuery,
    answers: { 200: { description: 'A page; with a cursor there may be more.', schema: schemas.auditPage } },
  },
  ({ keeper, query }) => jsonPage(query.limit, (limit) => keeper.audit({ ...query, limit })),
);

const listUndelivered = route(
  {
    method: 'GET',
    path: '/v1/undelivered',
    operationId: 'listUndelivered',
    summary: 'Messages that no destination has taken, and that are not tried any more',
    access: 'read',
    query: schemas.runsQuery,
    answers: { 200: { description: 'A page; with a cursor there may be more.', schema: schemas.undeliveredPage } },
  },
  ({ tasks, query }) => jsonPage(query.limit, (limit) => tasks.undelivered({ ...query, limit })),
);

const previewSlots = route(
  {
    method: 'POST',
    path: '/v1/schedule/preview',
    operationId: 'previewSchedule',
    summary: 'The next slots of a schedule, stored or not',
    access: 'read',
    query: schemas.noQuery,
    body: { schema: schemas.previewBody, required: true, contentTypes: [JSON_CONTENT_TYPE, YAML_CONTENT_TYPE] },
    answers: {
      200: { description: 'ISO instants in UTC; fewer when the schedule ends.', schema: schemas.slotPage },
    },
  },
  async ({ request, clock }) => {
    const { schedule, ...options } = checked('preview request', schemas.previewBody, await readBody(request));
    return json({ items: previewSchedule(schedule, { from: clock.now(), ...options }) });
  },
);

const getStatus = route(
  {
    method: 'GET',
    path: '/v1/status',
    operationId: 'getStatus',
    summary: 'Which shards are held, and when they last were',
    access: 'read',
    query: schemas.noQuery,
    answers: { 200: { description: 'The namespace as it is now.', schema: schemas.status } },
  },
  async ({ keeper }) => {
    const status = await keeper.status();
    // The folders of this machine are nobody's business; the file's name tells which database it is.
    return json({ ...status, coordinator: status.coordinator.replace(/^embedded:.*[/\\]/, 'embedded:') });
  },
);

export const taskRoutes: readonly Route[] = [
  listTasks,
  putTask,
  getTask,
  deleteTask,
  runTask,
  redriveTask,
  backfillTask,
  switchRoute('pause', 'Start no more launches of the schedule or for events until it is resumed'),
  switchRoute('resume', 'Go on with the schedule from now'),
  listRuns,
  listDeadLetters,
  listAudit,
  listUndelivered,
  previewSlots,
  getStatus,
];
