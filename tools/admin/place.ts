/** Where a database is created, which can never be changed. */
import { Option, type Command } from 'commander';

/** The platform's choices (`wrangler d1 create --help`). */
const JURISDICTIONS = ['eu', 'us', 'fedramp'];
const LOCATIONS = ['weur', 'eeur', 'apac', 'oc', 'wnam', 'enam'];

export interface Place {
  /** Where all of its data must stay. */
  jurisdiction?: string | null | undefined;
  /** Region near which it is created; queues have none. */
  location?: string | null | undefined;
}

export const jurisdictionOption = (description: string) =>
  new Option('--jurisdiction <name>', description).choices(JURISDICTIONS);

/** Adds `--jurisdiction` and `--location`, of which one may be given. */
export function withPlace(command: Command): Command {
  return command
    .addOption(jurisdictionOption('where all data must stay; can’t be changed later').conflicts('location'))
    .addOption(
      new Option(
        '--location <name>',
        'region near which the database is created; can’t be changed later',
      ).choices(LOCATIONS),
    );
}

/** As in `eu (jurisdiction)`, `weur`, or `anywhere`. */
export function describePlace({ jurisdiction, location }: Place): string {
  return jurisdiction == null ? (location ?? 'anywhere') : `${jurisdiction} (jurisdiction)`;
}
