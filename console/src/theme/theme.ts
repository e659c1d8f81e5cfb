import {
  ActionIcon,
  Badge,
  Button,
  Checkbox,
  createTheme,
  defaultVariantColorsResolver,
  type CSSVariablesResolver,
  type MantineColorsTuple,
  Menu,
  Modal,
  MultiSelect,
  NumberInput,
  PasswordInput,
  Popover,
  SegmentedControl,
  Select,
  Table,
  Tabs,
  TagsInput,
  Textarea,
  TextInput,
  Tooltip,
  type VariantColorsResolver,
} from "@mantine/core";
import { asVariables, dark, light } from "./palette";

// Indigo, the dye: one accent, used for what can be acted on and what is selected, never for decoration.
const dye: MantineColorsTuple = [
  "#eef0fb",
  "#d9ddf3",
  "#b3bae6",
  "#a9b4ff",
  "#6b78c9",
  "#5060b4",
  "#3a4899",
  "#32408a",
  "#2a3675",
  "#202a5e",
];

const night: MantineColorsTuple = [
  dark.text,
  "#c3c7cd",
  dark.dim,
  "#6c737d",
  "#5d646e",
  "#22262b",
  dark.surface,
  dark.page,
  dark.sunk,
  "#08090b",
];

const stone: MantineColorsTuple = [
  "#f6f4ef",
  "#edeae3",
  light.line,
  "#d2ccc0",
  "#b9b2a4",
  "#8f897d",
  "#575b62",
  "#43474d",
  "#2e3237",
  light.text,
];

/** The accent under a pointer: further from the text on it in both schemes. */
const pressed = "color-mix(in srgb, var(--tl-accent) 88%, var(--tl-text))";

/** What is filled in the accent takes its colours from the palette, whose pairs are checked for contrast. */
const colours: VariantColorsResolver = (input) => {
  const usual = defaultVariantColorsResolver(input);
  return input.variant === "filled" && (input.color === undefined || input.color === "dye")
    ? {
        ...usual,
        background: "var(--tl-accent)",
        hover: pressed,
        color: "var(--tl-on-accent)",
      }
    : usual;
};

const face = '"IBM Plex Sans Variable", "IBM Plex Sans", system-ui, sans-serif';

export const theme = createTheme({
  primaryColor: "dye",
  primaryShade: { light: 6, dark: 3 },
  variantColorResolver: colours,
  colors: { dye, dark: night, gray: stone },
  black: light.text,
  white: "#fffefb",
  fontFamily: face,
  fontFamilyMonospace: '"IBM Plex Mono", ui-monospace, monospace',
  headings: { fontFamily: face, fontWeight: "600" },
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.25rem" },
  spacing: { xs: "0.375rem", sm: "0.625rem", md: "0.875rem", lg: "1.25rem", xl: "2rem" },
  radius: { xs: "2px", sm: "4px", md: "6px", lg: "8px", xl: "12px" },
  defaultRadius: "sm",
  focusRing: "auto",
  respectReducedMotion: true,
  cursorType: "pointer",
  components: {
    ActionIcon: ActionIcon.extend({
      defaultProps: { variant: "subtle", color: "gray" },
      styles: { root: { "--mantine-color-disabled": "transparent" } },
    }),
    Badge: Badge.extend({ defaultProps: { radius: "xs", variant: "light", tt: "none", fw: 500 } }),
    Button: Button.extend({ defaultProps: { size: "xs" } }),
    Checkbox: Checkbox.extend({ defaultProps: { size: "sm", iconColor: "var(--tl-on-accent)" } }),
    TextInput: TextInput.extend({ defaultProps: { size: "sm" } }),
    Textarea: Textarea.extend({ defaultProps: { size: "sm" } }),
    MultiSelect: MultiSelect.extend({ defaultProps: { size: "sm" } }),
    TagsInput: TagsInput.extend({ defaultProps: { size: "sm" } }),
    PasswordInput: PasswordInput.extend({ defaultProps: { size: "sm" } }),
    NumberInput: NumberInput.extend({ defaultProps: { size: "sm" } }),
    Select: Select.extend({ defaultProps: { size: "sm", checkIconPosition: "right", allowDeselect: false } }),
    SegmentedControl: SegmentedControl.extend({ defaultProps: { size: "xs" } }),
    Menu: Menu.extend({ defaultProps: { shadow: "md" } }),
    Popover: Popover.extend({ defaultProps: { shadow: "md" } }),
    Modal: Modal.extend({ defaultProps: { centered: true } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 400, withinPortal: true, multiline: true, maw: 360 } }),
    Tabs: Tabs.extend({ defaultProps: { keepMounted: false } }),
    Table: Table.extend({ defaultProps: { verticalSpacing: 6, horizontalSpacing: 10 } }),
  },
});

export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    ...asVariables(light),
    "--mantine-color-body": light.page,
    "--mantine-color-text": light.text,
    "--mantine-color-dimmed": light.dim,
    "--mantine-color-default": light.surface,
    "--mantine-color-default-border": "#cfc9bd",
    "--mantine-color-placeholder": "#6a6c70",
    "--mantine-color-error": light.serverText,
    "--mantine-color-anchor": light.accent,
    "--mantine-primary-color-filled": light.accent,
    "--mantine-primary-color-filled-hover": pressed,
    "--mantine-primary-color-contrast": light.onAccent,
  },
  dark: {
    ...asVariables(dark),
    "--mantine-color-body": dark.page,
    "--mantine-color-text": dark.text,
    "--mantine-color-dimmed": dark.dim,
    "--mantine-color-default": dark.surface,
    "--mantine-color-default-border": "#3a4047",
    "--mantine-color-placeholder": "#8b929c",
    "--mantine-color-error": dark.serverText,
    "--mantine-color-anchor": dark.accent,
    "--mantine-primary-color-filled": dark.accent,
    "--mantine-primary-color-filled-hover": pressed,
    "--mantine-primary-color-contrast": dark.onAccent,
  },
});
