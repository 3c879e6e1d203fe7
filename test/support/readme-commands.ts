/** The commands that README tells a new user to type. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from './tools.ts';

export interface ReadmeStep {
  /** The heading above. */
  readonly heading: string;
  /** Lines of one block, as they stand there. */
  readonly commands: readonly string[];
}

/** All blocks of shell commands below a heading of the second level, in order. */
export function readmeSteps(section: string): readonly ReadmeStep[] {
  const text = readFileSync(join(REPOSITORY, 'README.md'), 'utf8');
  const [, body = ''] = text.split(`\n## ${section}\n`);
  const [own = ''] = body.split('\n## ');
  return own.split('\n### ').flatMap((part) => {
    const [heading = ''] = part.split('\n');
    return [...part.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => ({
      heading,
      commands: block.trimEnd().split('\n'),
    }));
  });
}
