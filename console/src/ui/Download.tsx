import { ActionIcon, Tooltip } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";

/** A file from the hub. The browser streams it; nothing is held in the page. */
export function Download({ href, label }: { readonly href: string; readonly label: string }) {
  return (
    <Tooltip label={label}>
      <ActionIcon component="a" href={href} download aria-label={label}>
        <IconDownload size={17} />
      </ActionIcon>
    </Tooltip>
  );
}
