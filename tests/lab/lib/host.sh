# shellcheck shell=bash
# Hosts: namespaces, mounts, links and libvirtd.
#
# A host is a network namespace (pinned in $STATE/ns) plus a UTS and a mount
# namespace, which an anchor process keeps alive so that libvirtd can be
# killed and started again in them.  All of it hangs on one hub namespace:
#
#	hub: br0 10.77.0.254 -- kvm1 (veth) -- eth0 in br0 10.77.0.1 :host kvm1
#	                     \- kvm2 (veth) -- eth0 in br0 10.77.0.2 :host kvm2
#
# Guests attach to their host's br0 and are reached wherever they run.

QEMU_CONF='security_driver = "none"
cgroup_controllers = []
namespaces = []
stdio_handler = "file"
remember_owner = 0'

# The bridge's own MAC is fixed: left alone it takes the lowest of its ports,
# which may be a guest's tap, and that address comes along when the guest moves.
quiet_net() # ADDRESS
{
	# no duplicate address detection, no router solicitations
	echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6 2>/dev/null || :
	echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6 2>/dev/null || :
	ip link set lo up
	ip link add br0 address "02:77:00:00:00:$(printf %02x "${1##*.}")" \
		type bridge stp_state 0 forward_delay 0 mcast_snooping 0
	ip addr add "$1/24" dev br0
	ip link set br0 up
}

pin_net() # PIN
{
	: >"$1"
	unshare --net="$1" -- true
}

hub_up()
{
	pin_net "$HUB"
	nsenter --net="$HUB" -- bash -c "$(declare -f quiet_net)
		quiet_net $NET.254"
}

# Shared storage.  libvirt asks the file system whether it is shared: a bindfs
# mount that says it is glusterfs passes, so that a live migration needs no
# --unsafe.  One mount serves all hosts: QEMU's image locks then hold between
# hosts, as they do on a network file system.
storage_up() # fuse|dir
{
	mkdir -p "$SHARED"
	[[ $1 == fuse ]] || return 0
	mkdir -p "$DATA/shared"
	setsid bindfs -f --multithreaded -o subtype=glusterfs "$DATA/shared" \
		"$SHARED" </dev/null >>"$STATE/bindfs.log" 2>&1 &
	pid_save "$STATE/bindfs" $!
	wait_for 10 "shared mount" mountpoint -q "$SHARED"
}

host_uuid()
{
	local sum
	sum=$(printf 'drover-lab/%s/%s' "$NAME" "$1" | md5sum)
	printf '%s-%s-4%s-a%s-%s\n' "${sum:0:8}" "${sum:8:4}" "${sum:12:3}" \
		"${sum:15:3}" "${sum:18:12}"
}

host_pool() # ETC NAME PATH
{
	mkdir -p "$1/storage/autostart"
	cat >"$1/storage/$2.xml" <<-XML
	<pool type='dir'>
	  <name>$2</name>
	  <target><path>$3</path></target>
	</pool>
	XML
	ln -s "/etc/libvirt/storage/$2.xml" "$1/storage/autostart/$2.xml"
}

# Writes everything that a host mounts over its own file system.
host_files() # HOST HOSTS DYNAMIC_OWNERSHIP
{
	local dir=$DATA/$1 address user=root n pool
	address=$(host_address "$1")
	[[ $3 == 0 ]] || user=libvirt-qemu
	pool=$(pool_path "$1" local)
	mkdir -p "$dir"/{lib/qemu,run,cache/qemu,log/qemu} \
		"$dir/lib/${pool#/var/lib/libvirt/}"
	cp -a /etc/libvirt "$dir/etc"
	# what QEMU can do, learned by an earlier lab; libvirt checks its age
	[[ ! -d $CACHE/capabilities ]] ||
		cp -a "$CACHE/capabilities" "$dir/cache/qemu"
	rm -rf "$dir"/etc/qemu/* "$dir/etc/storage"
	cat >"$dir/etc/libvirtd.conf" <<-CONF
	host_uuid = "$(host_uuid "$1")"
	listen_tls = 0
	listen_tcp = 1
	listen_addr = "$address"
	auth_tcp = "none"
	auth_unix_rw = "none"
	CONF
	cat >"$dir/etc/qemu.conf" <<-CONF
	$QEMU_CONF
	user = "$user"
	group = "$user"
	dynamic_ownership = $3
	migration_host = "$address"
	CONF
	host_pool "$dir/etc" local "$pool"
	host_pool "$dir/etc" shared "$SHARED"
	echo "127.0.0.1 localhost" >"$dir/hosts"
	for ((n = 1; n <= $2; n++)); do
		echo "$NET.$n kvm$n" >>"$dir/hosts"
	done
}

# Keeps what libvirtd has learned about QEMU (a second of probing) for others.
capabilities_save() # HOST
{
	local file to
	mkdir -p "$CACHE/capabilities"
	for file in "$DATA/$1/cache/qemu/capabilities"/*.xml; do
		to=$CACHE/capabilities/${file##*/}
		[[ $file -nt $to ]] || continue
		cp -a "$file" "$to.$BASHPID" && mv "$to.$BASHPID" "$to"
	done
}

# Runs inside the new namespaces of a host and stays as its anchor.
host_anchor() # HOST
{
	local dir=$DATA/$1 at
	# Mounts of other labs would outlive them here.
	for at in "$LAB_ROOT"/*/ns/* /srv/drover-lab/*/shared; do
		[[ $at != "$STATE"/* && $at != "$SHARED" ]] || continue
		umount -l "$at" 2>/dev/null || :
	done
	hostname "$1"
	mount --bind "$dir/etc" /etc/libvirt
	mount --bind "$dir/lib" /var/lib/libvirt
	mount --bind "$dir/run" /run/libvirt
	mount --bind "$dir/cache" /var/cache/libvirt
	mount --bind "$dir/log" /var/log/libvirt
	mount --bind "$dir/hosts" /etc/hosts
	if [[ -e $STATE/own-cpu ]]; then
		cat /proc/stat >"$dir/stat"
		mount --bind "$dir/stat" /proc/stat
	fi
	# sysfs shows the links of the namespace in which it was mounted
	umount -l /sys
	mount -t sysfs sysfs /sys
	quiet_net "$(host_address "$1")"
	in_hub ip link add "$1" type veth peer name eth0 netns $$
	in_hub ip link set "$1" master br0 up
	ip link set eth0 master br0 up
	: >"$STATE/$1/ready"
	exec -a "drover-lab:$NAME:$1" sleep infinity
}

host_up() # HOST HOSTS DYNAMIC_OWNERSHIP
{
	host_files "$@"
	pin_net "$STATE/ns/$1"
	setsid nsenter --net="$STATE/ns/$1" -- unshare --uts --mount \
		--propagation private -- "$LAB_DIR/lab" -n "$NAME" _anchor \
		"$1" </dev/null >>"$STATE/$1/log" 2>&1 &
	pid_save "$STATE/$1/anchor" $!
}

host_ready()
{
	[[ -e $STATE/$1/ready ]] || pid_gone "$(pid_of "$STATE/$1/anchor")"
}

daemon_pid() # HOST
{
	pid_of "$STATE/$1/libvirtd"
}

# Orphaned QEMUs are reaped by a process of ours or, with `up --reaper init`,
# by the machine's first process (see reaper.pl).
daemon_start() # HOST
{
	local anchor pid run
	! daemon_pid "$1" >/dev/null || return 0
	anchor=$(pid_of "$STATE/$1/anchor") || die "$1 has lost its anchor"
	run=(setsid env -i "PATH=$PATH" HOME=/root LC_ALL=C nsenter
		--target "$anchor" --net --uts --mount --)
	set -- "$1" libvirtd --listen --pid-file /run/libvirt/libvirtd.pid
	if [[ $(<"$STATE/reaper") == own ]]; then
		read -r pid < <(exec "${run[@]}" perl "$LAB_DIR/lib/reaper.pl" \
			"${@:2}" </dev/null 2>>"$STATE/$1/log") || {
			tail -n 5 "$STATE/$1/log" >&2
			die "no libvirtd on $1"
		}
	else
		"${run[@]}" "${@:2}" </dev/null >>"$STATE/$1/log" 2>&1 &
		pid=$!
	fi
	pid_save "$STATE/$1/libvirtd" "$pid"
}

daemon_answers() # HOST
{
	if ! daemon_pid "$1" >/dev/null; then
		tail -n 5 "$STATE/$1/log" >&2
		die "libvirtd of $1 ended"
	fi
	virsh_on "$1" connect >/dev/null 2>&1
}

daemon_wait() # HOST
{
	wait_for 60 "libvirtd of $1" daemon_answers "$1"
}

# SIGSTOP and SIGCONT: a daemon that is there and says nothing.
daemon_signal() # HOST SIGNAL
{
	local pid
	pid=$(daemon_pid "$1") || die "libvirtd of $1 does not run"
	kill "-$2" "$pid"
	[[ $2 != KILL ]] || wait_for 10 "end of libvirtd" pid_gone "$pid"
}

daemon_state() # HOST
{
	local pid
	pid=$(daemon_pid "$1") || { echo dead; return; }
	case $(sed -n 's/^State:\t//p' "/proc/$pid/status") in
	T*) echo frozen ;;
	*) echo running ;;
	esac
}

# What goes to the host and what comes from it, each at that rate at most; the
# bucket holds one of the largest packets that a virtual cable carries.
link_rate() # HOST RATE|off
{
	if [[ $2 == off ]]; then
		in_hub tc qdisc del dev "$1" root 2>/dev/null || :
		in_host "$1" tc qdisc del dev eth0 root 2>/dev/null || :
	else
		in_hub tc qdisc replace dev "$1" root tbf rate "$2" \
			burst 128kb latency 100ms
		in_host "$1" tc qdisc replace dev eth0 root tbf rate "$2" \
			burst 128kb latency 100ms
	fi
}

link_state() # HOST
{
	if in_hub ip link show dev "$1" up 2>/dev/null | grep -q .; then
		echo up
	else
		echo down
	fi
}

# --- the lab as a whole

lab_up() # HOSTS STORAGE DYNAMIC_OWNERSHIP REAPER OWN_CPU [HOST=POOL_PATH...]
{
	local n host count=$1 owner=$3 pool
	mkdir -p "$STATE/ns" "$STATE/guests" "$STATE/index" "$DATA" \
		/run/libvirt /var/cache/libvirt /var/log/libvirt
	echo "$2" >"$STATE/storage"
	echo "$4" >"$STATE/reaper"
	hub_up
	storage_up "$2"
	(($5 == 0)) || : >"$STATE/own-cpu"
	shift 5
	for ((n = 1; n <= count; n++)); do
		mkdir -p "$STATE/kvm$n"
		echo /var/lib/libvirt/images >"$STATE/kvm$n/pool"
	done
	for pool in "$@"; do
		need_host "${pool%%=*}"
		echo "${pool#*=}" >"$STATE/${pool%%=*}/pool"
	done
	for ((n = 1; n <= count; n++)); do
		host_up "kvm$n" "$count" "$owner"
	done
	for host in $(hosts); do
		wait_for 20 "namespaces of $host" host_ready "$host"
		if [[ ! -e $STATE/$host/ready ]]; then
			tail -n 5 "$STATE/$host/log" >&2
			die "$host did not come up"
		fi
		daemon_start "$host"
	done
	for host in $(hosts); do
		daemon_wait "$host"
	done
	[[ ! -e $STATE/own-cpu ]] || load_up
	: >"$STATE/up"
}

# All hosts of a lab are one machine, whose processors are busy or not for all of
# them.  With --own-cpu a host reads a /proc/stat of its own, in which what its
# QEMUs use is what is used.
load_up()
{
	setsid perl "$LAB_DIR/lib/load.pl" "$DATA" </dev/null \
		>>"$STATE/load.log" 2>&1 &
	pid_save "$STATE/load" $!
}

# This process and its ancestors, which a `down` must not end.
lineage()
{
	local pid=$$ stat
	while ((pid > 1)); do
		printf '%s\n' "$pid"
		{ read -r stat <"/proc/$pid/stat"; } 2>/dev/null || return 0
		stat=${stat##*) }
		# shellcheck disable=SC2086  # split into fields
		set -- $stat
		pid=$2
	done
}

# Kills what runs in the lab's namespaces; true when nothing was left to kill.
# SIGKILL works on stopped processes, and nothing here is to be saved.  A
# reaper is left to end by itself, after its last child.
lab_kill()
{
	local pid signal left=0 keep
	keep=" $(lineage | tr '\n' ' ') "
	while read -r pid _; do
		[[ $keep != *" $pid "* ]] || continue
		signal=KILL
		! grep -q reaper.pl "/proc/$pid/cmdline" 2>/dev/null ||
			signal=CONT
		! kill "-$signal" "$pid" 2>/dev/null || left=1
	done < <(pids_in_lab)
	((left == 0))
}

# The file system first: a process that waits for it can't be killed, and once
# its server is dead all such waits fail.
storage_down()
{
	local pid
	if pid=$(pid_of "$STATE/bindfs"); then
		kill -KILL "$pid" 2>/dev/null || :
		wait_for 10 "end of bindfs" pid_gone "$pid" || return 1
	fi
	while grep -q " $SHARED " /proc/self/mounts; do
		umount -l "$SHARED" || return 1
	done
}

lab_down()
{
	local pin
	rm -f "$STATE/up"
	storage_down || return 1
	wait_for 30 "end of all processes" lab_kill || return 1
	# bridges and links go with their namespaces
	for pin in "$STATE"/ns/*; do
		[[ -e $pin ]] || continue
		umount -l "$pin" 2>/dev/null || :
	done
	rm -rf "$STATE" "$DATA" "/srv/drover-lab/$NAME"
	rmdir "$LAB_ROOT" /var/lib/drover-lab /srv/drover-lab 2>/dev/null || :
}
