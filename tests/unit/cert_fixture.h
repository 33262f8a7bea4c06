#ifndef DROVER_TESTS_CERT_FIXTURE_H
#define DROVER_TESTS_CERT_FIXTURE_H

/*
 * Certificates made when they are needed: an authority, and what it issues.
 * Included once per program, after http_fixture.h.
 */

#include <gnutls/x509.h>
#include <time.h>

#define CERT_DAY (24 * 3600)

struct cert {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	char crt_path[128], key_path[128];
};

static inline void
cert_write(const char *path, const gnutls_datum_t *data, const char *mode)
{
	FILE *f = fopen(path, mode);

	ck_assert_ptr_nonnull(f);
	fwrite(data->data, 1, data->size, f);
	fclose(f);
}

/* Valid from and until these seconds from now; `password` of the key's file,
 * or NULL; `issuer` NULL: an authority that signs itself. */
static inline void
cert_make(struct cert *c, const struct cert *issuer, const char *name,
    long from, long until, const char *password)
{
	static unsigned char serial;
	bool authority = issuer == NULL;
	const unsigned char home[] = {127, 0, 0, 1};
	time_t now = time(NULL);
	gnutls_datum_t pem;

	serial++;
	ck_assert_int_eq(gnutls_x509_privkey_init(&c->key), 0);
	ck_assert_int_eq(
	    gnutls_x509_privkey_generate(c->key, GNUTLS_PK_ECDSA,
		GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
	    0);
	gnutls_x509_crt_init(&c->crt);
	gnutls_x509_crt_set_version(c->crt, 3);
	gnutls_x509_crt_set_serial(c->crt, &serial, 1);
	gnutls_x509_crt_set_dn_by_oid(c->crt, GNUTLS_OID_X520_COMMON_NAME, 0,
	    name, (unsigned)strlen(name));
	gnutls_x509_crt_set_key(c->crt, c->key);
	gnutls_x509_crt_set_activation_time(c->crt, now + from);
	gnutls_x509_crt_set_expiration_time(c->crt, now + until);
	gnutls_x509_crt_set_basic_constraints(c->crt, authority, -1);
	if (authority)
		gnutls_x509_crt_set_key_usage(c->crt, GNUTLS_KEY_KEY_CERT_SIGN);
	else if (strcmp(name, "127.0.0.1") == 0)
		gnutls_x509_crt_set_subject_alt_name(c->crt,
		    GNUTLS_SAN_IPADDRESS, home, sizeof(home), GNUTLS_FSAN_SET);
	else
		gnutls_x509_crt_set_subject_alt_name(c->crt, GNUTLS_SAN_DNSNAME,
		    name, (unsigned)strlen(name), GNUTLS_FSAN_SET);
	if (authority)
		issuer = c;
	ck_assert_int_eq(gnutls_x509_crt_sign2(c->crt, issuer->crt, issuer->key,
			     GNUTLS_DIG_SHA256, 0),
	    0);
	snprintf(c->crt_path, sizeof(c->crt_path), "%s/" TOKEN "-%u.pem", dir,
	    serial);
	snprintf(c->key_path, sizeof(c->key_path), "%s/" TOKEN "-%u.key", dir,
	    serial);
	gnutls_x509_crt_export2(c->crt, GNUTLS_X509_FMT_PEM, &pem);
	cert_write(c->crt_path, &pem, "w");
	gnutls_free(pem.data);
	if (password != NULL)
		ck_assert_int_eq(gnutls_x509_privkey_export2_pkcs8(c->key,
				     GNUTLS_X509_FMT_PEM, password,
				     GNUTLS_PKCS_PBES2_AES_256, &pem),
		    0);
	else
		gnutls_x509_privkey_export2(c->key, GNUTLS_X509_FMT_PEM, &pem);
	cert_write(c->key_path, &pem, "w");
	gnutls_free(pem.data);
}

static inline void
cert_free(struct cert *c)
{
	gnutls_x509_crt_deinit(c->crt);
	gnutls_x509_privkey_deinit(c->key);
}

#endif
