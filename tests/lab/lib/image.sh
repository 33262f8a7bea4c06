# shellcheck shell=bash
# The guest's kernel and initramfs, built once and kept in $CACHE.
#
# The kernel is Debian's cloud kernel, unpacked and not installed, so that
# nothing of the machine changes.  The cache is keyed by the sources' checksum.

# In the order in which they depend on each other.
GUEST_MODULES='drivers/input/evdev drivers/acpi/button
drivers/virtio/virtio_ring drivers/virtio/virtio
drivers/virtio/virtio_pci_legacy_dev drivers/virtio/virtio_pci_modern_dev
drivers/virtio/virtio_pci drivers/block/virtio_blk net/core/failover
drivers/net/net_failover drivers/net/virtio_net
drivers/virtio/virtio_balloon drivers/char/virtio_console'

image_key()
{
	cat "$LAB_DIR"/guest/* "$LAB_DIR/lib/image.sh" | sha256sum |
		cut -c 1-16
}

# Prints the directory that holds vmlinuz and initramfs.
image_dir()
{
	printf '%s/%s\n' "$CACHE" "$(image_key)"
}

kernel_package()
{
	apt-cache depends linux-image-cloud-amd64 2>/dev/null |
		awk '$1 == "Depends:" && /linux-image-.*-cloud-amd64/ {
			print $2; exit }'
}

# Unpacks the kernel package into DIR.
kernel_unpack() # DIR
{
	local package
	package=$(kernel_package)
	if [[ -z $package ]]; then
		apt-get -qq update
		package=$(kernel_package)
	fi
	[[ -n $package ]] || die "no package linux-image-cloud-amd64"
	mkdir -p "$1/deb"
	# an index that has aged names a version that is gone
	(
		cd "$1/deb" || exit
		get=(apt-get -qq -o APT::Sandbox::User=root download "$package")
		"${get[@]}" || { apt-get -qq update && "${get[@]}"; }
	) >&2
	dpkg -x "$1"/deb/*.deb "$1/kernel"
}

image_build() # DIR
{
	local work=$1 root=$1/root module from
	kernel_unpack "$work"
	mkdir -p "$root"/{bin,modules,proc,sys,dev,run,tmp}
	mkdir -p "$root/etc/acpi/PWRF" "$root/var/log"
	ln -s ../run "$root/var/run"
	from=$(echo "$work"/kernel/lib/modules/*/kernel)
	for module in $GUEST_MODULES; do
		cp "$from/$module.ko" "$root/modules"
		echo "${module##*/}" >>"$root/modules/order"
	done
	cp /bin/busybox "$root/bin/busybox"
	ln -s busybox "$root/bin/sh"
	echo '#!/bin/sh' >"$root/etc/acpi/PWRF/00000080"
	cp "$LAB_DIR/guest/init" "$root/init"
	chmod 755 "$root/init" "$root/etc/acpi/PWRF/00000080"
	gcc -std=gnu11 -O2 -Wall -Wextra -static -pthread -s -o \
		"$root/bin/beacon" "$LAB_DIR"/guest/{beacon,disk}.c
	gcc -std=gnu11 -O2 -Wall -Wextra -static -s -o "$root/bin/agent" \
		"$LAB_DIR/guest/agent.c"
	# not compressed: unpacking costs an emulated CPU more than reading
	(cd "$root" && find . | cpio --quiet -o -H newc) >"$work/initramfs"
	cp "$work"/kernel/boot/vmlinuz-* "$work/vmlinuz"
	chmod 644 "$work/vmlinuz" "$work/initramfs"
	rm -rf "$work/deb" "$work/kernel" "$root"
}

# Makes sure that the image exists; safe beside another lab that does so too.
image_need()
{
	local dir lock work
	dir=$(image_dir)
	[[ ! -d $dir ]] || return 0
	mkdir -p "$CACHE"
	chmod 755 "$CACHE"
	exec {lock}<"$CACHE"
	flock "$lock"
	if [[ ! -d $dir ]]; then
		say "building the guest image in $CACHE"
		work=$CACHE/work.$$
		rm -rf "$work"
		mkdir -p "$work"
		chmod 755 "$work"
		image_build "$work"
		mv "$work" "$dir"
	fi
	exec {lock}<&-
}
