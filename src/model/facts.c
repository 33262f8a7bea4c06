/*
 * What a host says about itself crosses from the worker that asked to the loop
 * thread that understands it.  It is handed over whole, so the one thing that
 * matters here is that each struct owns everything below it and that freeing
 * it is one call, also when it is only half filled because a call to the host
 * failed in the middle.
 *
 * The names are those of `virsh list` and `virsh domstate --reason`: people
 * know them, and they are part of the JSON contract (view.h).
 */
#include "model/facts.h"

#include <stdlib.h>

void
facts_domain_clear(struct facts_domain *domain)
{
	free(domain->name);
	free(domain->uuid);
	free(domain->xml);
	free(domain->defined_xml);
	domain->defined_xml = NULL;
	domain->name = NULL;
	domain->uuid = NULL;
	domain->xml = NULL;
}

void
facts_domain_free(struct facts_domain *domain)
{
	if (domain == NULL)
		return;
	facts_domain_clear(domain);
	free(domain);
}

void
facts_load_clear(struct facts_load *load)
{
	for (size_t i = 0; i < load->domain_count; i++)
		free(load->domains[i].uuid);
	free(load->domains);
	load->domains = NULL;
	load->domain_count = 0;
}

void
facts_host_free(struct facts_host *facts)
{
	if (facts == NULL)
		return;
	free(facts->hostname);
	free(facts->capabilities_xml);
	free(facts->host_uuid);
	for (size_t i = 0; i < facts->domain_count; i++)
		facts_domain_clear(&facts->domains[i]);
	free(facts->domains);
	for (size_t i = 0; i < facts->pool_count; i++) {
		free(facts->pools[i].name);
		free(facts->pools[i].xml);
	}
	free(facts->pools);
	for (size_t i = 0; i < facts->network_count; i++) {
		free(facts->networks[i].name);
		free(facts->networks[i].bridge);
	}
	free(facts->networks);
	for (size_t i = 0; i < facts->interface_count; i++)
		free(facts->interfaces[i]);
	free(facts->interfaces);
	facts_load_clear(&facts->load);
	free(facts);
}

const char *
facts_state_name(enum domain_state state)
{
	switch (state) {
	case DOMAIN_NOSTATE:
		return "no state";
	case DOMAIN_RUNNING:
		return "running";
	case DOMAIN_BLOCKED:
		return "blocked";
	case DOMAIN_PAUSED:
		return "paused";
	case DOMAIN_SHUTDOWN:
		return "in shutdown";
	case DOMAIN_SHUTOFF:
		return "shut off";
	case DOMAIN_CRASHED:
		return "crashed";
	case DOMAIN_PMSUSPENDED:
		return "pmsuspended";
	}
	return "no state";
}

const char *
facts_reason_name(enum domain_reason reason)
{
	switch (reason) {
	case DOMAIN_REASON_OTHER:
		return "unknown";
	case DOMAIN_REASON_USER:
		return "user";
	case DOMAIN_REASON_MIGRATION:
		return "migration";
	case DOMAIN_REASON_MIGRATED:
		return "migrated";
	case DOMAIN_REASON_MIGRATION_CANCELED:
		return "migration canceled";
	case DOMAIN_REASON_POSTCOPY:
		return "post-copy";
	case DOMAIN_REASON_POSTCOPY_FAILED:
		return "post-copy failed";
	case DOMAIN_REASON_IOERROR:
		return "I/O error";
	case DOMAIN_REASON_FAILED:
		return "failed";
	case DOMAIN_REASON_SHUTDOWN:
		return "shutdown";
	case DOMAIN_REASON_DESTROYED:
		return "destroyed";
	case DOMAIN_REASON_CRASHED:
		return "crashed";
	}
	return "unknown";
}

void
facts_survey_free(struct facts_survey *survey)
{
	if (survey == NULL)
		return;
	for (size_t i = 0; i < survey->disk_count; i++) {
		free(survey->disks[i].target);
		free(survey->disks[i].path);
		free(survey->disks[i].format);
		free(survey->disks[i].pool);
		free(survey->disks[i].volume);
		free(survey->disks[i].backing);
		free(survey->disks[i].backing_format);
	}
	free(survey->disks);
	free(survey->uuid);
	free(survey);
}
