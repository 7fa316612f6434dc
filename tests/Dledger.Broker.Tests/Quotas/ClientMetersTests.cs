using Dledger.Broker.Quotas;

namespace Dledger.Broker.Tests.Quotas;

public sealed class ClientMetersTests
{
    private static readonly QuotaRates Rates = new(10, 0);

    [Fact]
    public void Clients_that_are_idle_are_forgotten_when_others_need_the_room()
    {
        var meters = new ClientMeters(Rates);
        for (var client = 0; client < ClientMeters.CountMax; client++)
        {
            meters.Of(client, now: 0).Take(Rates, 5, 0);
        }

        meters.Of(-1, now: 10_000_000);

        Assert.Equal(1, meters.Count);
    }

    [Fact]
    public void Clients_beyond_the_bound_share_one_meter_while_all_are_busy()
    {
        var meters = new ClientMeters(Rates);
        for (var client = 0; client < ClientMeters.CountMax; client++)
        {
            var meter = meters.Of(client, now: 0);
            meter.Room(Rates, now: 0);
            meter.Take(Rates, 10, 0);
        }

        meters.Of(-1, now: 1).Take(Rates, 10, 0);

        Assert.Same(meters.Of(-1, now: 1), meters.Of(-2, now: 1));
        Assert.Equal(ClientMeters.CountMax, meters.Count);
        Assert.NotSame(meters.Of(1, now: 1), meters.Of(-1, now: 1));
    }
}
