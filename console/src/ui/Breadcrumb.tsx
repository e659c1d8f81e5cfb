import { Fragment } from "react";
import styles from "./Breadcrumb.module.css";
import { visible } from "./visible";

/** A point as steps: REQUEST › BODY › JSON › PROPERTY › token. */
export function Breadcrumb({ steps }: { readonly steps: readonly string[] }) {
  return (
    <span className={styles.breadcrumb}>
      {steps.map((step, position) => (
        // The same word may stand twice in a point; its position tells it apart.
        <Fragment key={`${position} ${step}`}>
          {position === 0 ? null : (
            <>
              {" "}
              <span className={styles.separator}>›</span>{" "}
            </>
          )}
          <bdi>{visible(step)}</bdi>
        </Fragment>
      ))}
    </span>
  );
}
