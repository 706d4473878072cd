# Chroots of Debian's suites, made with debootstrap from this machine's mirror. For bash scripts to
# source, after apt.sh.
# shellcheck shell=bash

# Which suite has which PostgreSQL
# shellcheck disable=SC2034
declare -A suite_of=([15]=bookworm [17]=trixie [18]=forky)

own_suite=$(sed --quiet 's/^VERSION_CODENAME=//p' /etc/os-release)
checkout=/srv/companion # in the chroot

# The mirror of this machine's own packages
mirror() {
    apt-get indextargets --format "\$(SITE)" 'Created-By: Packages' "Codename: $own_suite" |
        head --lines=1
}

complain() {
    echo "$1" >&2
    return 1
}

install_debootstrap() {
    [ "$(mirror)" ] && command -v debootstrap >/dev/null && return
    as_root apt-get update --quiet && apt_install debootstrap || return
    [ "$(mirror)" ] || complain "apt names no mirror of this machine's Debian ($own_suite)"
}

# apt's proxies, and whether it goes by the date
apt_settings() {
    apt-config dump | grep --extended-regexp '^Acquire::(https?::Proxy(::[^ ]*)?|Check-[^ ]*) '
}

make_chroot() {
    local suite=$1 root=$2 http_proxy=
    echo "Making a chroot of $suite in $root"
    install_debootstrap || return
    eval "$(apt-config shell http_proxy Acquire::http::Proxy)"
    as_root rm --recursive --force "$root.new"
    as_root mkdir --parents "$root.new"
    as_root unshare --mount env http_proxy="$http_proxy" debootstrap --variant=minbase "$suite" \
        "$root.new" "$(mirror)" /usr/share/debootstrap/scripts/sid >/dev/null || return
    apt_settings | as_root tee "$root.new/etc/apt/apt.conf.d/as-on-host" >/dev/null
    as_root mv "$root.new" "$root"
}

# Run a command in a chroot, with variables before it; its mounts and processes end with it
in_chroot() {
    local root=$1 mounts='mount -t tmpfs tmpfs /dev/shm && mount -t devpts devpts /dev/pts'
    shift
    as_root unshare --mount --pid --fork --kill-child --mount-proc --root="$root" --wd="$checkout" \
        env --ignore-environment PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
        ${WERROR:+WERROR="$WERROR"} ${CI:+CI="$CI"} \
        sh -c "$mounts && exec env \"\$@\"" sh "$@"
}

# A chroot of a suite in which nothing was installed before, with the checkout, as it is committed; its
# folder is printed. What debootstrap has made is kept in /var/cache/companion.
fresh_chroot() {
    local suite=$1 minimal=/var/cache/companion/$1-minimal root
    [ -d "$minimal" ] || make_chroot "$suite" "$minimal" >&2 || return
    root=$(as_root mktemp --directory "/var/cache/companion/$suite.XXXXXX")
    as_root cp --archive "$minimal/." "$root"
    as_root cp --dereference /etc/resolv.conf "$root/etc/resolv.conf"
    printf '#!/bin/sh\nexit 101\n' | as_root install --mode=755 /dev/stdin "$root/usr/sbin/policy-rc.d"
    as_root mkdir --parents "$root${checkout%/*}"
    as_root git clone --quiet --no-hardlinks . "$root$checkout"
    echo "$root"
}
