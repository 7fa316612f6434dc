namespace Dledger.Chaos.Workers;

/// <summary>What a consumer of a group does with a message that it was given.</summary>
internal enum Fate
{
    Ack,
    Nack,
    Forget,
    AckLate,
}

/// <summary>Decides about messages as real consumers do: most are acknowledged, some handed back, some forgotten, some acknowledged late.</summary>
internal sealed class Fates(Workload workload, string group, Random random)
{
    // A message that fails too often would become a dead letter by chance; only poison is meant to.
    private const int ChanceAttemptsMax = 3;

    /// <summary>What becomes of a message in this attempt.</summary>
    public Fate Of(string id, int attempt) => Forced(id) ?? (
        workload.IsDraining || attempt >= Math.Min(ChanceAttemptsMax, Workload.Groups[group] - 1) ? Fate.Ack : random.Next(100) switch
        {
            < 4 => Fate.Nack,
            < 6 => Fate.Forget,
            < 8 => Fate.AckLate,
            _ => Fate.Ack,
        });

    /// <summary>What has to become of it, whatever the dice say; null: anything.</summary>
    public Fate? Forced(string id) =>
        workload.StuckGroup == group ? Fate.Forget
        : Workload.Groups[group] < 10 && Workload.IsPoison(id) ? Fate.Nack
        : null;
}
