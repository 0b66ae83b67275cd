// oxlint's own types of a rule and of what a rule sees; it exports them only as parts of its rule tester.
import type { RuleTester } from 'oxlint/plugins-dev';

export type Rule = Parameters<RuleTester['run']>[1];
type Context = Parameters<NonNullable<Rule['create']>>[0];
/** Any node of the syntax tree. */
export type Node = Parameters<Context['sourceCode']['isGlobalReference']>[0];
