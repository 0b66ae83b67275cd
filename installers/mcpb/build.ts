// A bundle for Claude Desktop's extensions, one a platform. Its server is a binary, the Node.js that it carries: the one that is built
// into Claude Desktop takes no native module of others, and cannot start a process of its own kind.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packExtension } from '@anthropic-ai/mcpb';
import { makeImage } from '../image.ts';
import { isWindows, manifest, type Platform } from '../platforms.ts';

export async function buildMcpb(platform: Platform, stage: string, target: string): Promise<void> {
  const bundle = join(stage, `mcpb-${platform}`);
  makeImage(platform, join(bundle, 'server'));
  writeFileSync(join(bundle, 'manifest.json'), `${JSON.stringify(bundleManifest(platform), null, 2)}\n`);
  const outputPath = join(target, `${manifest.name}-${manifest.version}-${platform}.mcpb`);
  // It looks at the manifest, and says by `false` that it has told what is wrong with it.
  if (!(await packExtension({ extensionPath: bundle, outputPath, silent: true })))
    throw new Error(`The bundle for ${platform} could not be packed.`);
}

/** As the specification of bundles has it, version 0.3. */
function bundleManifest(platform: Platform): object {
  const node = `server/runtime/${isWindows(platform) ? 'node.exe' : 'node'}`;
  return {
    manifest_version: '0.3',
    name: manifest.name,
    display_name: 'mcp-bridge',
    version: manifest.version,
    description: manifest.description,
    long_description:
      'Keeps one session with a hosted MCP service open for all chats, checks it, brings it back when it is lost, and repeats ' +
      'what may be repeated. If the service asks for a sign-in, the first answer says what to do.',
    author: { name: 'mcp-bridge contributors' },
    license: manifest.license,
    keywords: manifest.keywords,
    server: {
      type: 'binary',
      entry_point: node,
      mcp_config: {
        command: `\${__dirname}/${node}`,
        args: ['${__dirname}/server/bin/mcp-bridge.js', 'run', '${user_config.url}'],
        env: { MCP_BRIDGE_TOKEN: '${user_config.token}' },
      },
    },
    tools_generated: true,
    prompts_generated: true,
    compatibility: { claude_desktop: '>=1.0.0', platforms: [platform.split('-')[0]] },
    user_config: {
      url: {
        type: 'string',
        title: 'URL of the service',
        description: 'Where the hosted MCP service is, such as https://mcp.example.com/mcp',
        required: true,
      },
      token: {
        type: 'string',
        title: 'Token',
        description: 'Only for a service that takes a fixed token. Leave it empty for one that signs you in.',
        sensitive: true,
        required: false,
        // Without one, the variable would hold the placeholder itself.
        default: '',
      },
    },
  };
}
