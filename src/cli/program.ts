/** The `cronkeeper` command line: its flags, its subcommands and what they are given. */
import { Argument, Command, Option } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { systemRandom } from '../clock.ts';
import type { CronkeeperError } from '../errors.ts';
import { DST_RULES } from '../schedule/dst.ts';
import { SHARDS_MAX } from '../shard.ts';
import { LINGER_MS_MAX } from '../tick.ts';
import type { VerifyOptions } from '../verification.ts';
import { TASK_STATUSES } from '../view.ts';
import { type BackfillFlags, backfill, type DeadFlags, dead, redrive, undelivered } from './again.ts';
import { apply } from './apply.ts';
import {
  durationArgument,
  endpointArgument,
  instantArgument,
  jsonArgument,
  keyArgument,
  launchIdArgument,
  namespaceArgument,
  taskIdArgument,
  urlArgument,
  wholeArgument,
} from './arguments.ts';
import { type AuditFlags, audit } from './audit.ts';
import {
  get,
  type ListFlags,
  list,
  pause,
  type RunFlags,
  type RunsFlags,
  remove,
  resume,
  run,
  runs,
} from './commands.ts';
import type { Context } from './connection.ts';
import { type DevFlags, dev } from './dev.ts';
import { doctor } from './doctor.ts';
import { doctorStage } from './doctor-stage.ts';
import { emit } from './emit.ts';
import { type EngineFlags, tickOnce, work } from './engine.ts';
import { type NextFlags, next } from './next.ts';
import type { Output } from './output.ts';
import { type ReplayFlags, replay } from './replay.ts';
import { verify } from './verify.ts';

const LIST_LIMIT_MAX = 100_000;
const RUNS_LIMIT_MAX = 1_000;
const NEXT_COUNT_MAX = 1_000;
const ATTEMPT_MAX = 1_000_000;
const WAIT_MS_MAX = 3_600_000;

/** What a subcommand works with, known once the flags are. */
export interface Surroundings {
  /** @throws CronkeeperError `invalid` when the environment is wrong. */
  context(): Context;
  contextOrError(): Context | CronkeeperError;
  output(): Output;
}

export function createProgram(surroundings: Surroundings): Command {
  const program = new Command('cronkeeper')
    .description('Distributed cron without a resident scheduler.')
    .version(manifest.version)
    .addOption(
      new Option('--url <url>', 'coordinator: zookeeper://host:2181/chroot or embedded:./file.db').argParser(
        urlArgument,
      ),
    )
    .addOption(
      new Option('--endpoint <url>', 'work over the HTTP API there').argParser(endpointArgument).conflicts('url'),
    )
    .option('--token <token>', 'for --endpoint; better by CRONKEEPER_API_TOKEN: command lines can be seen by others')
    .addOption(new Option('--namespace <name>', 'a set of tasks').argParser(namespaceArgument))
    .option('--json', 'results as JSON, alone on stdout')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 wrong usage. Environment: see the README.')
    .exitOverride();
  addTaskCommands(program, surroundings);
  addReplayCommand(program, surroundings);
  addVerifyCommand(program, surroundings);
  addEditCommands(program, surroundings);
  addAgainCommands(program, surroundings);
  addAuditCommand(program, surroundings);
  addEmitCommand(program, surroundings);
  addNextCommand(program, surroundings);
  addEngineCommands(program, surroundings);
  program
    .command('doctor')
    .description('check what is needed, and say what to do')
    .option('--stage <name>', 'what would be deployed, in place of what is used here')
    .option('--param <name=value>', 'with --stage: a parameter of it', (one, all: string[]) => [...all, one], [])
    .action(({ stage, param }: { stage?: string; param: string[] }) =>
      stage === undefined
        ? doctor(surroundings.output(), surroundings.contextOrError())
        : doctorStage(surroundings.output(), { stage, param }, process.cwd()),
    );
  return program;
}

const task = () => new Argument('<id>', 'the task').argParser(taskIdArgument);
const whole = (flags: string, description: string, max: number, fallback: number) =>
  new Option(flags, description).argParser(wholeArgument(1, max)).default(fallback);
const cursor = () => new Option('--cursor <cursor>', 'go on where an earlier answer ended');

function addTaskCommands(program: Command, { context }: Surroundings): void {
  program
    .command('apply')
    .description('store tasks from YAML or JSON files, directories, or - for standard input')
    .argument('<files...>')
    .action((files: string[]) => apply(context(), files, process.stdin));
  program
    .command('list')
    .description('the tasks')
    .option('--prefix <text>', 'ids that begin with this')
    .addOption(new Option('--status <status>').choices(TASK_STATUSES))
    .option('--label <name[=value]>')
    .addOption(whole('--limit <n>', 'at most so many', LIST_LIMIT_MAX, 100))
    .addOption(cursor())
    .action((flags: ListFlags) => list(context(), flags));
  program
    .command('get')
    .description('a task, as a document that apply takes')
    .addArgument(task())
    .action((id: string) => get(context(), id));
  program
    .command('runs')
    .description('its latest runs, newest first')
    .addArgument(task())
    .addOption(whole('--limit <n>', 'at most so many', RUNS_LIMIT_MAX, 20))
    .addOption(cursor())
    .action((id: string, flags: RunsFlags) => runs(context(), id, flags));
}

function addAuditCommand(program: Command, { context }: Surroundings): void {
  program
    .command('audit')
    .description('who changed what, newest first')
    .addOption(new Option('--task <id>', 'changes of one task').argParser(taskIdArgument))
    .addOption(new Option('--from <instant>', 'ISO; changes at this moment are in it').argParser(instantArgument))
    .addOption(new Option('--to <instant>', 'ISO; likewise').argParser(instantArgument))
    .addOption(whole('--limit <n>', 'at most so many', LIST_LIMIT_MAX, 100))
    .addOption(cursor())
    .action((flags: AuditFlags) => audit(context(), flags));
}

function addReplayCommand(program: Command, { context }: Surroundings): void {
  program
    .command('replay')
    .description('repeat a recorded run in the sandbox, with the answers that it got then; asks nobody, stores nothing')
    .addArgument(task())
    .option('--launch <id>', 'default: the latest that ran')
    .addOption(new Option('--attempt <n>', 'default: the last at that launch').argParser(wholeArgument(1, ATTEMPT_MAX)))
    .option('--code <file>', 'run this JavaScript instead: exit 0 if it succeeds')
    .addOption(new Option('--input <json>', 'in place of what it was given: likewise').argParser(jsonArgument))
    .action((id: string, flags: ReplayFlags) => replay(context(), id, flags));
}

function addVerifyCommand(program: Command, { context }: Surroundings): void {
  const instant = (flags: string, description: string) => new Option(flags, description).argParser(instantArgument);
  program
    .command('verify')
    .description('recompute the slots of every task, and look for each in the records; exit 1 if they do not add up')
    .addOption(instant('--from <instant>', 'ISO; default: as far back as records are kept'))
    .addOption(instant('--to <instant>', 'ISO; default: now'))
    .option('--prefix <text>', 'tasks whose ids begin with this')
    .action((options: VerifyOptions) => verify(context(), options));
}

function addEditCommands(program: Command, { context }: Surroundings): void {
  program
    .command('run')
    .description('launch it at the next tick; the schedule stays as it is')
    .addArgument(task())
    .addOption(new Option('--input <json>', "in place of the task's input").argParser(jsonArgument))
    .addOption(new Option('--key <key>', 'asking twice with one key launches once').argParser(keyArgument))
    .addOption(
      new Option('--wait [duration]', 'stay until it is recorded; exit 1 unless it succeeded')
        .argParser(durationArgument(0, WAIT_MS_MAX, '0s to 1h'))
        .preset('60s'),
    )
    .action((id: string, flags: RunFlags) => run(context(), id, flags));
  program
    .command('pause')
    .description('launch nothing of it until it is resumed, but what is asked for by hand')
    .addArgument(task())
    .action((id: string) => pause(context(), id));
  program
    .command('resume')
    .description('go on from now')
    .addArgument(task())
    .action((id: string) => resume(context(), id));
  program
    .command('remove')
    .description('remove it')
    .addArgument(task())
    .action((id: string) => remove(context(), id));
}

function addAgainCommands(program: Command, { context }: Surroundings): void {
  const range = (flags: string, description: string) =>
    new Option(flags, description).argParser(instantArgument).makeOptionMandatory();
  program
    .command('dead')
    .description('launches that failed for good')
    .addArgument(new Argument('[id]', 'those of one task').argParser(taskIdArgument))
    .addOption(whole('--limit <n>', 'at most so many', LIST_LIMIT_MAX, 100))
    .addOption(cursor())
    .action((id: string | undefined, flags: DeadFlags) => dead(context(), id, flags));
  program
    .command('undelivered')
    .description('messages that no destination has taken, and that are not tried any more')
    .addOption(whole('--limit <n>', 'at most so many', LIST_LIMIT_MAX, 100))
    .addOption(cursor())
    .action((flags: DeadFlags) => undelivered(context(), flags));
  program
    .command('redrive')
    .description('launch again what failed for good, with the input, slot and idempotency key that it had')
    .addArgument(task())
    .addArgument(new Argument('[launch]', 'default: all dead letters of the task').argParser(launchIdArgument))
    .action((id: string, launch: string | undefined) => redrive(context(), id, launch));
  program
    .command('backfill')
    .description('launch every slot of a range of the past, oldest first; the schedule stays as it is')
    .addArgument(task())
    .addOption(range('--from <instant>', 'ISO; slots at this moment are in it'))
    .addOption(range('--to <instant>', 'ISO, not later than now; likewise'))
    .addOption(new Option('--key <key>', 'asking again with one key is the same backfill').argParser(keyArgument))
    .action((id: string, flags: BackfillFlags) => backfill(context(), id, flags));
}

function addEmitCommand(program: Command, { context }: Surroundings): void {
  program
    .command('emit')
    .description('launch the tasks that name an event, as a bus would bring it; once per id')
    .argument('<file>', 'one event, or a list, as JSON or YAML; - for standard input')
    .action((file: string) => emit(context(), file, process.stdin));
}

function addNextCommand(program: Command, { context }: Surroundings): void {
  program
    .command('next')
    .description('when a schedule would fire')
    .argument('<schedule>', '"30 2 * * *", @daily, "every 30s", "at 2026-03-08T02:30:00Z", "after 5m" or JSON')
    .option('--tz <zone>', 'IANA time zone of a cron expression; default: UTC')
    .addOption(new Option('--dst <rule>', 'what becomes of local times that clock changes move').choices(DST_RULES))
    .addOption(new Option('--from <instant>', 'ISO; default: now').argParser(instantArgument))
    .addOption(whole('-n, --count <n>', 'how many', NEXT_COUNT_MAX, 5))
    .action((schedule: string, flags: NextFlags) => next(context(), schedule, flags));
}

function addEngineCommands(program: Command, { context }: Surroundings): void {
  const linger = () =>
    new Option('--linger <duration>', 'stay so long, and run tasks on exact timers').argParser(
      durationArgument(0, LINGER_MS_MAX, '0s to 14m'),
    );
  const shardsMax = () =>
    new Option('--shards-max <n>', 'take so many shards at a time; default: all that nobody holds').argParser(
      wholeArgument(1, SHARDS_MAX),
    );
  program
    .command('tick')
    .description('run what is due, once')
    .addOption(linger())
    .addOption(shardsMax())
    .action((flags: EngineFlags) => tickOnce(context(), flags));
  program
    .command('worker')
    .description('tick until stopped')
    .addOption(linger())
    .addOption(shardsMax())
    .action((flags: EngineFlags) => work(context(), flags, systemRandom));
  program
    .command('dev')
    .description('the local stack: ticks, HTTP API and console, with example tasks')
    .addOption(new Option('--port <n>', 'default: PORT, or 8080').argParser(wholeArgument(0, 65_535)))
    .option('--host <address>', 'where to listen; other than loopback only with an API token')
    .addOption(
      new Option('--every <duration>', 'between ticks').argParser(durationArgument(1_000, LINGER_MS_MAX, '1s to 14m')),
    )
    .option('--examples', 'apply the examples; default: if there is no task at all')
    .option('--no-examples', 'do not')
    .action((flags: DevFlags) => dev(context(), flags, systemRandom));
}
