import type { Command } from 'commander'
import { add, type Run } from './add-command.ts'
import type { IssueOptions } from './commands/issue-challenge.ts'
import { parseChallengePrefix, parseChunkPrefix, parseCount, parseNodeName, parsePeriod } from './parse-arguments.ts'

/** Challenges: whether nodes have what they say. */
export function addChallenges(program: Command, run: Run): void {
  add(
    program,
    'issue-challenge',
    'Have a node prove that it holds a chunk, and wait for the result.',
    'massa-storage issue-challenge --node AU12mXo... --chunk d6076b',
  )
    .requiredOption(
      '--node <node>',
      'Massa address or PeerId of a node, the first 6 or more characters of one, or its name: the operator that it published in the registry',
      parseNodeName,
    )
    .requiredOption(
      '--chunk <id>',
      'chunk id; of the own archive also its first 6 or more hex digits',
      parseChunkPrefix,
    )
    .option('--rehearse', 'off chain: it costs nothing, and counts for nothing but the history of this sidecar')
    .option('--unclaimed', 'on chain also for a chunk that the node has not said that it holds')
    .action((options: IssueOptions, command) =>
      run(async (context, signal) =>
        (await import('./commands/issue-challenge.ts')).issueChallenge(context, options, signal),
      )(command),
    )
  const example = 'massa-storage challenges list'
  const challenges = add(
    program,
    'challenges',
    'Show the challenges that the running sidecar issued, and audit those of everybody.',
    example,
  )
  add(challenges, 'list', 'List them, the newest first.', example)
    .option('-n, --limit <count>', 'how many at most, up to 1000', parseCount, 20)
    .action((options: { limit: number }, command) =>
      run(async (context, signal) =>
        (await import('./commands/challenges.ts')).challengesList(context, options, signal),
      )(command),
    )
  add(challenges, 'show', 'Show one of them.', 'massa-storage challenges show m-9f86d0')
    .argument('<id>', 'its id, or the beginning of it', parseChallengePrefix)
    .action((id: string, _options, command) =>
      run(async (context, signal) => (await import('./commands/challenges.ts')).challengesShow(context, id, signal))(
        command,
      ),
    )
  add(
    challenges,
    'audit',
    'Recompute the draws of all challengers in a period, and compare them with the challenges that they issued.',
    'massa-storage challenges audit 200',
  )
    .argument('<period>', 'in which draws were due', parsePeriod)
    .action((period: number, _options, command) =>
      run(async (context, signal) =>
        (await import('./commands/challenges-audit.ts')).challengesAudit(context, period, signal),
      )(command),
    )
}
