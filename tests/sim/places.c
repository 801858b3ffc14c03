/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/places.h"

#include "sim/gateway.h"

#define PUBLIC "203.0.113.1"
#define PUBLIC_PORT 20000

const char *const places_clients[] = {"192.0.2.10", "192.0.2.20", "10.20.0.5", "2001:db8:1::10"};
const char *const places_gateways[] = {"198.51.100.1", "198.51.100.2", "2001:db8:2::1"};

struct addr places_addr(const char *text)
{
    struct addr addr;

    sim_require(addr_parse(&addr, text), text);
    return addr;
}

static int index_of(const char *const *list, int n, const struct addr *addr)
{
    for (int i = 0; i < n; i++) {
        struct addr item = places_addr(list[i]);

        if (addr_equal(&item, addr)) {
            return i;
        }
    }
    return -1;
}

static int client_of(const struct addr *addr)
{
    return index_of(places_clients, PLACES_CLIENTS, addr);
}

static int gateway_of(const struct addr *addr)
{
    return index_of(places_gateways, PLACES_GATEWAYS, addr);
}

static bool same_family(int client, int gateway)
{
    return (client == PLACES_CLIENTS - 1) == (gateway == PLACES_GATEWAYS - 1);
}

static bool open(const struct places *places, int client, int gateway)
{
    return client >= 0 && gateway >= 0 && same_family(client, gateway) &&
           places->client_up[client] && places->gateway_up[gateway] &&
           !places->blocked[client][gateway];
}

void places_init(struct places *places, bool on)
{
    *places = (struct places){.on = on};
    places->client_up[0] = places->gateway_up[0] = true;
}

bool places_works(const struct places *places, const struct path *path)
{
    return !places->on ||
           open(places, client_of(&path->local.addr), gateway_of(&path->remote.addr));
}

bool places_any(const struct places *places)
{
    for (int c = 0; c < PLACES_CLIENTS; c++) {
        for (int g = 0; g < PLACES_GATEWAYS; g++) {
            if (open(places, c, g)) {
                return true;
            }
        }
    }
    return !places->on;
}

void places_rebind(struct places *places)
{
    for (int i = 0; i < PLACES_CLIENTS; i++) {
        places->generation[i]++;
    }
}

static bool mapped(const struct places *places, int client)
{
    return places->nat && client != PLACES_CLIENTS - 1;
}

static bool forgotten(const struct places *places, int client, uint64_t now)
{
    return places->nat_timeout_us != 0 && now > places->used[client] + places->nat_timeout_us;
}

static uint16_t public_port(const struct places *places, int client)
{
    return (uint16_t)(PUBLIC_PORT + places->generation[client] % 4096 * PLACES_CLIENTS +
                      (unsigned)client);
}

bool places_to_gateway(struct places *places, struct path *path, uint64_t now)
{
    int client = client_of(&path->local.addr);

    if (!places->on) {
        return true;
    }
    if (!open(places, client, gateway_of(&path->remote.addr))) {
        return false;
    }
    if (mapped(places, client)) {
        places->generation[client] += forgotten(places, client, now);
        places->used[client] = now;
        path->local.addr = places_addr(PUBLIC);
        path->local.port = public_port(places, client);
    }
    return true;
}

bool places_to_client(const struct places *places, struct path *path, uint64_t now)
{
    int client = client_of(&path->remote.addr);
    struct addr nat = places_addr(PUBLIC);

    if (!places->on) {
        return true;
    }
    if (addr_equal(&path->remote.addr, &nat)) {
        client = (path->remote.port - PUBLIC_PORT) % PLACES_CLIENTS;
        if (path->remote.port != public_port(places, client) || forgotten(places, client, now)) {
            return false;
        }
        path->remote.addr = places_addr(places_clients[client]);
        path->remote.port = IKE_PORT_NATT;
    } else if (client >= 0 && mapped(places, client)) {
        return false;
    }
    return open(places, client, gateway_of(&path->local.addr));
}
