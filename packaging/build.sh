#!/usr/bin/env bash
# Makes a release archive: the binary, optimised as far as the compiler goes, with the DuckDB library beside it.
# Run it as `make dist`, which brings the library and the console first. The archive and its SHA-256 land in
# target/dist-archives. Same commit, same toolchain: same archive but for what the compiler itself varies.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target="${CARGO_TARGET_DIR:-target}"
case "$(uname -s)" in
    Darwin) library=libduckdb.dylib ;;
    *) library=libduckdb.so ;;
esac

cargo build --locked --profile dist
version=$("$target/dist/threadline" --version | awk '{ print $2 }')
host=$(rustc -vV | sed -n 's/^host: //p')
name="threadline-$version-$host"

staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT
folder="$staging/$name"
mkdir "$folder"
install -m 755 "$target/dist/threadline" "$folder/threadline"
install -m 644 "native/lib/$library" "$folder/$library"
install -m 644 LICENSE NOTICE README.md CHANGELOG.md SECURITY.md packaging/threadline.service packaging/threadline.yaml "$folder/"
node packaging/third-party.mjs > "$folder/THIRD-PARTY.txt"

# What was packed must start from where it was packed: it finds the library beside itself, or not at all.
env -u LD_LIBRARY_PATH "$folder/threadline" --version > /dev/null
env -u LD_LIBRARY_PATH "$folder/threadline" check "$folder/threadline.yaml" > /dev/null

archives="$target/dist-archives"
mkdir -p "$archives"
options=()
if tar --version 2> /dev/null | grep -q GNU; then
    options=(--sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(git log -1 --format=%ct)")
fi
tar -C "$staging" "${options[@]}" -cf - "$name" | gzip -n -9 > "$archives/$name.tar.gz"
(cd "$archives" && { sha256sum "$name.tar.gz" 2> /dev/null || shasum -a 256 "$name.tar.gz"; } > "$name.tar.gz.sha256")
echo "$archives/$name.tar.gz  $(du -h "$archives/$name.tar.gz" | cut -f 1)"
