# shellcheck shell=bash
# Guests: definition, start, where they run, what they say.

AREA_MIB=16

guest_index()
{
	cat "$STATE/guests/$1/index"
}

guest_address()
{
	printf '%s.%s\n' "$NET" "$((100 + $(guest_index "$1")))"
}

need_guest()
{
	[[ -n ${1:-} && -r $STATE/guests/$1/index ]] || die "no guest '${1:-}'"
}

guests()
{
	local dir
	for dir in "$STATE"/guests/*/; do
		[[ ! -d $dir ]] || basename "$dir"
	done
}

# Takes the lowest free number; mkdir decides between two who ask at once.
guest_take_index() # FIRST
{
	local i
	for ((i = $1; i <= 150; i++)); do
		if mkdir "$STATE/index/$i" 2>/dev/null; then
			echo "$i"
			return
		fi
	done
	die "too many guests"
}

# Any firmware that boots a kernel will do; what counts is that libvirt keeps a
# file of variables for it, whose content is told again.
FIRMWARE=/usr/share/seabios/bios-256k.bin

nvram_path()
{
	# shellcheck disable=SC2154  # a local of guest_add
	echo "/var/lib/libvirt/qemu/nvram/${guest}_VARS.fd"
}

# The definition.  Its commandline part works around QEMU 7.2: under TCG,
# pre-copy loses pages that the guest dirties, because the fast path of the
# dirty log clears the log without flushing the TLB, so that later writes to
# the same page go unseen.  (Real hosts use KVM and are not affected.)  The
# fast path is taken for RAM blocks whose length is a multiple of 64 pages,
# 256 KiB; a block that is 64 KiB short of that takes the slow, correct path.
guest_xml() # GUEST INDEX MEMORY_MIB DISKS BRIDGE CPU CMDLINE
{
	local kib=$(($3 * 1024 - 64)) dir cpu='' firmware='' tpm_xml=''
	dir=$(image_dir)
	[[ -z $6 ]] || cpu="<cpu mode='custom' match='exact' check='none'>
	    <model fallback='forbid'>$6</model></cpu>"
	((nvram == 0)) || firmware="<loader readonly='yes'
	    type='pflash'>$FIRMWARE</loader><nvram>$(nvram_path)</nvram>"
	((tpm == 0)) || tpm_xml="<tpm model='tpm-tis'>
	    <backend type='emulator' version='2.0'/></tpm>"
	cat <<-XML
	<domain type='qemu'
	    xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
	  <name>$1</name>
	  <memory unit='MiB'>$3</memory>
	  <vcpu>1</vcpu>
	  <os>
	    <type arch='x86_64' machine='q35'>hvm</type>
	    $firmware
	    <kernel>$dir/vmlinuz</kernel>
	    <initrd>$dir/initramfs</initrd>
	    <cmdline>$7</cmdline>
	  </os>
	  <features><acpi/></features>
	  $cpu
	  <clock offset='utc'/>
	  <on_poweroff>destroy</on_poweroff>
	  <on_reboot>restart</on_reboot>
	  <on_crash>destroy</on_crash>
	  <devices>
	    <emulator>/usr/bin/qemu-system-x86_64</emulator>
	    <controller type='usb' model='none'/>
	    $4
	    <interface type='bridge'>
	      <mac address='52:54:00:77:00:$(printf %02x "$2")'/>
	      <source bridge='$5'/>
	      <model type='virtio'/>
	    </interface>
	    <serial type='file'>
	      <source path='/var/log/libvirt/qemu/$1.serial'/>
	      <target port='0'/>
	    </serial>
	    $tpm_xml
	    <memballoon model='virtio'><stats period='5'/></memballoon>
	    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
	  </devices>
	  <qemu:commandline>
	    <qemu:arg value='-object'/>
	    <qemu:arg value='memory-backend-ram,id=labram,size=$((kib * 1024))'/>
	    <qemu:arg value='-machine'/>
	    <qemu:arg value='memory-backend=labram'/>
	    <qemu:arg value='-m'/>
	    <qemu:arg value='size=${kib}k'/>
	  </qemu:commandline>
	</domain>
	XML
}

disk_xml() # TARGET PATH FORMAT
{
	cat <<-XML
	<disk type='file' device='disk'>
	  <driver name='qemu' type='$3' cache='none'/>
	  <source file='$2'/>
	  <target dev='$1' bus='virtio'/>
	</disk>
	XML
}

cdrom_xml() # PATH OPTIONAL
{
	local policy=''
	[[ $2 == 0 ]] || policy=" startupPolicy='optional'"
	cat <<-XML
	<disk type='file' device='cdrom'>
	  <driver name='qemu' type='raw'/>
	  <source file='$1'$policy/>
	  <target dev='sda' bus='sata'/>
	  <readonly/>
	</disk>
	XML
}

guest_usage()
{
	die "guest NAME and options; see lab"
}

# What a guest is to be, by option; set by guest_options, read by the rest.
guest_options() # ARGS...
{
	while (($# > 0)); do
		case $1 in
		--host) host=$2; shift ;;
		--memory) memory=$2; shift ;;
		--disk) size=$2; shift ;;
		--no-disk) pool='' ;;
		--format) format=$2; shift ;;
		--allocate) fill=$(size_in_mib "$2"); shift ;;
		--zeros) zeros=$(size_in_mib "$2"); shift ;;
		--backing) backing=$2 format=qcow2; shift ;;
		--second-disk) second=$2; shift ;;
		--cdrom) cdrom=$2; shift ;;
		--optional) optional=1 ;;
		--bridge) bridge=$2; shift ;;
		--cpu) cpu=$2; shift ;;
		--dirty) dirty=$2; shift ;;
		--index) index=$2; shift ;;
		--local) pool=local ;;
		--autostart) auto=1 ;;
		--no-acpi) acpi=none ;;
		--reboot-on-acpi) acpi=reboot ;;
		--agent) agent=1 ;;
		--nvram) nvram=1 ;;
		--tpm) tpm=1 ;;
		--linger) linger=$2; shift ;;
		--stopped) start=0 wait=0 ;;
		--no-wait) wait=0 ;;
		-*) guest_usage ;;
		*) [[ -z $guest ]] || guest_usage; guest=$1 ;;
		esac
		shift
	done
	[[ $guest =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] || guest_usage
	[[ $format == raw || $format == qcow2 ]] || guest_usage
	[[ $backing =~ ^(|local|shared)$ ]] || guest_usage
	[[ $second =~ ^(|local|shared)$ ]] || guest_usage
	(($(size_in_mib "$size") >= FILL_AT_MIB + fill + zeros)) ||
		die "the disk of $guest is too small for that"
}

# Makes the volumes and prints the XML of the drives.
guest_disks()
{
	local path base='' part=all

	[[ -n $pool ]] || return 0
	path=$(pool_path "$host" "$pool")/$guest.$format
	if [[ -n $backing ]]; then
		base=$(pool_path "$host" "$backing")/$guest-base.qcow2
		part=odd
		volume_make "$host" "$backing" "$guest-base.qcow2" "$size" \
			qcow2 && volume_fill "$host" "$base" qcow2 "$fill" \
			"$zeros" even || return
	fi
	volume_make "$host" "$pool" "$guest.$format" "$size" "$format" \
		"$base" && volume_fill "$host" "$path" "$format" "$fill" \
		"$zeros" "$part" || return
	disk_xml vda "$path" "$format"
	if [[ -n $second ]]; then
		path=$(pool_path "$host" "$second")/$guest-2.$format
		volume_make "$host" "$second" "$guest-2.$format" 64M \
			"$format" || return
		disk_xml vdb "$path" "$format"
	fi
	[[ -z $cdrom ]] || cdrom_xml "$cdrom" "$optional"
}

agent_xml()
{
	cat <<-XML
	<channel type='unix'>
	  <target type='virtio' name='org.qemu.guest_agent.0'/>
	</channel>
	XML
}

# Takes back what a guest that does not start has made.
guest_undo()
{
	local volume
	virsh_on "$host" undefine "$guest" >/dev/null 2>&1 || :
	for volume in "$guest.$format $pool" "$guest-2.$format $second" \
	    "$guest-base.qcow2 $backing"; do
		[[ $volume == *" " ]] || virsh_on "$host" "vol-delete $volume" \
			>/dev/null 2>&1 || :
	done
	rm -rf "$STATE/guests/$guest" "$STATE/index/$index"
	die "guest $guest did not start on $host"
}

# Defines and starts a guest; prints its address once it answers.
guest_add()
{
	local guest='' host=kvm1 memory=128 size=64M pool=shared bridge=br0
	local format=raw fill=0 zeros=0 backing='' second='' cdrom='' optional=0
	local auto='' cpu='' dirty=0 acpi=poweroff linger=0 wait=1 start=1
	local index=1 agent=0 nvram=0 tpm=0
	local cmdline disks

	guest_options "$@"
	need_host "$host"
	[[ ! -e $STATE/guests/$guest ]] || die "guest $guest exists"
	image_need

	index=$(guest_take_index "$index")
	# On a busy machine the kernel may calibrate the TSC wrongly (a clock
	# that ran nine times too fast was seen); the HPET's rate is known.
	cmdline="console=ttyS0 quiet clocksource=hpet panic=0 edd=off"
	cmdline+=" nokaslr mitigations=off audit=0 apparmor=0"
	cmdline+=" lab.name=$guest lab.ip=$NET.$((100 + index))"
	cmdline+=" lab.acpi=$acpi lab.dirty=$dirty lab.area=$AREA_MIB"
	cmdline+=" lab.fill=$fill lab.zeros=$zeros lab.linger=$linger"
	mkdir "$STATE/guests/$guest"
	echo "$index" >"$STATE/guests/$guest/index"

	# a bridge that only this host has pins the guest to it
	if [[ $bridge != br0 ]]; then
		in_host "$host" ip link add "$bridge" type bridge 2>/dev/null || :
		in_host "$host" ip link set "$bridge" up
	fi
	disks=$(guest_disks) || guest_undo
	((agent == 0)) || disks+=$(agent_xml)
	guest_xml "$guest" "$index" "$memory" "$disks" "$bridge" "$cpu" \
		"$cmdline" >"$STATE/guests/$guest/xml"
	((nvram == 0)) || in_host "$host" sh -c "mkdir -p \
		/var/lib/libvirt/qemu/nvram &&
		head -c 131072 /dev/urandom >$(nvram_path)"
	virsh_on "$host" "define $STATE/guests/$guest/xml
		${auto:+; autostart $guest}" >/dev/null || guest_undo
	if ((start == 1)); then
		virsh_on "$host" start "$guest" >/dev/null || guest_undo
		capabilities_save "$host"
	fi
	[[ $wait == 0 || $bridge != br0 ]] || guest_wait "$guest"
	guest_address "$guest"
}

# Ends it wherever it is, with its definitions and images on all hosts.
guest_drop() # GUEST
{
	local host pool pid
	while read -r pid _; do
		kill -KILL "$pid"
	done < <(qemu_pids "$1")
	for host in $(hosts); do
		virsh_on "$host" destroy "$1" >/dev/null 2>&1 || :
		virsh_on "$host" undefine "$1" >/dev/null 2>&1 || :
		for pool in local shared; do
			in_host "$host" find "$(pool_path "$host" "$pool")" \
				-maxdepth 1 -type f \( -name "$1.*" -o -name \
				"$1-*" \) -delete
			virsh_on "$host" pool-refresh "$pool" >/dev/null
		done
	done
	rm -rf "$STATE/index/$(guest_index "$1")" "$STATE/guests/$1"
}

# guest_ask GUEST WORD: one line from the guest's beacon
guest_ask()
{
	# shellcheck disable=SC2016  # expanded by the inner shell
	in_hub timeout "${3:-10}" bash -c '
		exec 3<>"/dev/tcp/$1/7" && echo "$2" >&3 &&
		read -r line <&3 && echo "$line"' \
		- "$(guest_address "$1")" "$2" 2>/dev/null
}

guest_answers()
{
	guest_ask "$1" status 1 >/dev/null
}

guest_wait()
{
	wait_for 90 "guest $1" guest_answers "$1"
}

# What the scheduler says: a stopped vCPU gets no time, and the guest's own
# beat of 10 ms sees to it that a running one does.
vcpu_time()
{
	local task sum=0 ns
	for task in "/proc/$1/task"/*; do
		[[ $(cat "$task/comm" 2>/dev/null) == CPU* ]] || continue
		read -r ns _ <"$task/schedstat" || ns=0
		sum=$((sum + ns))
	done
	echo "$sum"
}

vcpu_state() # PID
{
	local before after
	before=$(vcpu_time "$1")
	sleep 0.2
	after=$(vcpu_time "$1")
	if [[ $before != "$after" ]]; then
		echo running
	else
		echo stopped
	fi
}

# What libvirt says of a guest, asked over the host's own socket, so that a cut
# link does not matter: a state, absent (not defined), or unknown (no answer).
libvirt_says() # HOST GUEST
{
	local said
	if [[ $(daemon_state "$1") != running ]]; then
		echo unknown
	elif said=$(in_host "$1" timeout 5 virsh --quiet \
	    --connect qemu:///system domstate "$2" 2>&1); then
		said=${said//$'\n'/}
		echo "${said// /-}"
	elif [[ $said == *"failed to get domain"* ]]; then
		echo absent
	else
		echo unknown
	fi
}

# One line per host that has the guest, by process or in libvirt's words.
guest_where() # GUEST
{
	local host pid said
	local -A process=()
	while read -r pid host; do
		process[$host]+=${process[$host]:+,}$pid
	done < <(qemu_pids "$1")
	for host in $(hosts); do
		said=$(libvirt_says "$host" "$1")
		[[ $said != absent || -n ${process[$host]:-} ]] || continue
		if [[ -n ${process[$host]:-} ]]; then
			echo "$host pid=${process[$host]}" \
				"vcpus=$(vcpu_state "${process[$host]%%,*}")" \
				"libvirt=$said"
		else
			echo "$host pid=none vcpus=none libvirt=$said"
		fi
	done
}
