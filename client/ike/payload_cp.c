/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/payload.h"

#define ATTRIBUTE_RESERVED_BIT 0x8000

bool cp_begin(struct reader *r, uint8_t *cfg_type, struct bytes body)
{
    *r = reader_of(body);
    *cfg_type = rd_u8(r);
    rd_skip(r, 3);
    return !r->failed;
}

bool cp_next(struct reader *r, struct cp_attr *out)
{
    struct tlv tlv;

    if (!rd_tlv(r, 2, 2, false, &tlv)) {
        return false;
    }
    out->type = tlv.type & (uint16_t)~ATTRIBUTE_RESERVED_BIT; /* ignored on receipt (3.15.1) */
    out->value = tlv.value;
    return true;
}

void cp_write_begin(struct chain *chain, enum cp_type type)
{
    chain_begin(chain, P_CP);
    wr_u8(&chain->w, (uint8_t)type);
    wr_zeros(&chain->w, 3);
}

void cp_write_attr(struct chain *chain, uint16_t type, struct bytes value)
{
    if (value.len > UINT16_MAX) {
        chain->w.failed = true;
        return;
    }
    wr_u16(&chain->w, type);
    wr_u16(&chain->w, (uint16_t)value.len);
    wr_bytes(&chain->w, value);
}

const char *cp_attribute_name(uint16_t type)
{
    static const struct {
        uint16_t type;
        const char *name;
    } names[] = {
        {INTERNAL_IP4_ADDRESS, "INTERNAL_IP4_ADDRESS"},
        {INTERNAL_IP4_NETMASK, "INTERNAL_IP4_NETMASK"},
        {INTERNAL_IP4_DNS, "INTERNAL_IP4_DNS"},
        {INTERNAL_IP4_NBNS, "INTERNAL_IP4_NBNS"},
        {INTERNAL_IP4_DHCP, "INTERNAL_IP4_DHCP"},
        {APPLICATION_VERSION, "APPLICATION_VERSION"},
        {INTERNAL_IP6_ADDRESS, "INTERNAL_IP6_ADDRESS"},
        {INTERNAL_IP6_DNS, "INTERNAL_IP6_DNS"},
        {INTERNAL_IP6_DHCP, "INTERNAL_IP6_DHCP"},
        {INTERNAL_IP4_SUBNET, "INTERNAL_IP4_SUBNET"},
        {SUPPORTED_ATTRIBUTES, "SUPPORTED_ATTRIBUTES"},
        {INTERNAL_IP6_SUBNET, "INTERNAL_IP6_SUBNET"},
        {16, "MIP6_HOME_PREFIX"},
        {17, "INTERNAL_IP6_LINK"},
        {18, "INTERNAL_IP6_PREFIX"},
        {19, "HOME_AGENT_ADDRESS"},
        {20, "P_CSCF_IP4_ADDRESS"},
        {21, "P_CSCF_IP6_ADDRESS"},
        {22, "FTT_KAT"},
        {23, "EXTERNAL_SOURCE_IP4_NAT_INFO"},
        {24, "TIMEOUT_PERIOD_FOR_LIVENESS_CHECK"},
        {INTERNAL_DNS_DOMAIN, "INTERNAL_DNS_DOMAIN"},
        {INTERNAL_DNSSEC_TA, "INTERNAL_DNSSEC_TA"},
        {27, "ENCDNS_IP4"},
        {28, "ENCDNS_IP6"},
        {29, "ENCDNS_DIGEST_INFO"},
        {INTERNAL_IP4_SERVER_MS, "INTERNAL_IP4_SERVER"},
        {INTERNAL_IP6_SERVER_MS, "INTERNAL_IP6_SERVER"},
        {UNITY_BANNER, "UNITY_BANNER"},
        {UNITY_SAVE_PASSWD, "UNITY_SAVE_PASSWD"},
        {UNITY_DEF_DOMAIN, "UNITY_DEF_DOMAIN"},
        {UNITY_SPLITDNS_NAME, "UNITY_SPLITDNS_NAME"},
        {UNITY_SPLIT_INCLUDE, "UNITY_SPLIT_INCLUDE"},
        {28677, "UNITY_NATT_PORT"},
        {UNITY_LOCAL_LAN, "UNITY_LOCAL_LAN"},
        {28679, "UNITY_PFS"},
        {28680, "UNITY_FW_TYPE"},
        {28681, "UNITY_BACKUP_SERVERS"},
        {28682, "UNITY_DDNS_HOSTNAME"},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].type == type) {
            return names[i].name;
        }
    }
    return NULL;
}
