import { Captured } from "../ui/Captured";
import styles from "./Setup.module.css";

/** What changed, a sentence each, as the hub says it: names and points in it are anybody's text. */
export function Sentences({ label, sentences }: { readonly label: string; readonly sentences: readonly string[] }) {
  return (
    <ul className={styles.sentences} aria-label={label}>
      {sentences.map((sentence) => (
        <li key={sentence}>
          <Captured text={sentence} wrap />
        </li>
      ))}
    </ul>
  );
}
