// Whether there is a person before this machine's screen, as far as the environment tells. Pure.

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether a browser that opens here would be before the person's eyes. */
export function hasScreen(env: Environment, platform: NodeJS.Platform): boolean {
  if (env['SSH_CONNECTION'] || env['SSH_TTY']) return false;
  if (platform !== 'linux') return true;
  return Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY'] || env['WSL_DISTRO_NAME']);
}
