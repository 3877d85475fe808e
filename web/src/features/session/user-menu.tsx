import { Keyboard, LogOut, Monitor, Moon, Sun } from "lucide-react";
import { Avatar } from "../../components/ui/avatar.tsx";
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuLabel,
  DropdownMenuRadioGroup,
  DropdownMenuRadioItem,
  DropdownMenuSeparator,
  DropdownMenuTrigger,
} from "../../components/ui/dropdown-menu.tsx";
import { useServices, useUser } from "../../lib/services.ts";
import { setTheme, type Theme, themes, useTheme } from "../../lib/theme.ts";
import { setFloating } from "../../lib/ui-state.ts";

const labels: Record<Theme, string> = { system: "System", light: "Light", dark: "Dark" };
const icons = { system: Monitor, light: Sun, dark: Moon };

export function UserMenu() {
  const { session } = useServices();
  const user = useUser();
  const theme = useTheme();
  return (
    <DropdownMenu>
      <DropdownMenuTrigger className="rounded-full" aria-label={`Account of ${user.name}`}>
        <Avatar user={user.id} name={user.name} />
      </DropdownMenuTrigger>
      <DropdownMenuContent align="end" className="w-56">
        <div className="px-2 py-1.5">
          <p className="truncate font-medium">{user.name}</p>
          {user.email !== "" && <p className="truncate text-xs text-faint">{user.email}</p>}
        </div>
        <DropdownMenuSeparator />
        <DropdownMenuLabel>Theme</DropdownMenuLabel>
        <DropdownMenuRadioGroup value={theme} onValueChange={(next) => setTheme(themes.find((one) => one === next) ?? "system")}>
          {themes.map((one) => {
            const Icon = icons[one];
            return (
              <DropdownMenuRadioItem key={one} value={one} onSelect={(event) => event.preventDefault()}>
                <span className="flex items-center gap-2">
                  <Icon className="text-faint" aria-hidden />
                  {labels[one]}
                </span>
              </DropdownMenuRadioItem>
            );
          })}
        </DropdownMenuRadioGroup>
        <DropdownMenuSeparator />
        <DropdownMenuItem icon={<Keyboard />} keys="?" onSelect={() => setFloating("shortcuts")}>
          Keyboard shortcuts
        </DropdownMenuItem>
        <DropdownMenuItem icon={<LogOut />} onSelect={() => session.signOut()}>
          Sign out
        </DropdownMenuItem>
      </DropdownMenuContent>
    </DropdownMenu>
  );
}
