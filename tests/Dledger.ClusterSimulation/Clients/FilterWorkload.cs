using System.Globalization;
using Dledger.Broker.Filtering;
using Dledger.Broker.Messages;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>
/// A third of the runs have a group more, whose consumers filter, alike or each in its own way. Drawn from a stream of its own: the other
/// runs are as they would be without it.
/// </summary>
internal sealed class FilterWorkload
{
    private const ulong Stream = 0xF17E_25A5;

    /// <summary>Of a message's number: what expressions speak of.</summary>
    private const int Modulus = 5;

    private static readonly FilterChoice[][] Plans =
    [
        [Sql("n >= 2", n => n >= 2)],
        [Tags("t0 || t3", n => n is 0 or 3)],
        [Sql("n < 2", n => n < 2), Sql("n > 2", n => n > 2)],
        [Tags("t0||t1", n => n < 2), Sql("TAGS = 't4' OR n BETWEEN 3 AND 3", n => n > 2)],
        [Tags("t1", n => n == 1), Tags("t2", n => n == 2)],
    ];

    private readonly FilterChoice[] _plan;

    private FilterWorkload(FilterChoice[] plan) => _plan = plan;

    /// <summary>Null in most runs.</summary>
    public static FilterWorkload? Draw(ulong seed)
    {
        var random = new SimulationRandom(seed ^ Stream);
        return random.Chance(0.34) ? new FilterWorkload(Plans[random.Next(Plans.Length)]) : null;
    }

    /// <summary>Whether consumers of the group ask differently.</summary>
    public bool IsMixed => _plan.Length > 1;

    public FilterChoice Of(int consumer) => _plan[consumer % _plan.Length];

    /// <summary>Whether any consumer wants it.</summary>
    public bool IsWanted(string messageId) => _plan.Any(choice => choice.Wants(messageId));

    /// <summary>What producers add so that there is something to filter by.</summary>
    public static MessageDraft Mark(MessageDraft draft)
    {
        var number = NumberOf(draft.MessageId);
        return draft with
        {
            Tag = string.Create(CultureInfo.InvariantCulture, $"t{number}"),
            UserProperties = [KeyValuePair.Create("n", number.ToString(CultureInfo.InvariantCulture))],
        };
    }

    private static int NumberOf(string messageId) => int.Parse(messageId.AsSpan(1), CultureInfo.InvariantCulture) % Modulus;

    private static FilterChoice Sql(string expression, Func<int, bool> wants)
    {
        Invariant.Check(MessageFilter.TryParseSql(expression, out var filter, out var violation), violation.Detail);
        return new FilterChoice(filter, id => wants(NumberOf(id)));
    }

    private static FilterChoice Tags(string expression, Func<int, bool> wants)
    {
        Invariant.Check(MessageFilter.TryParseTags(expression, out var filter, out var violation), violation.Detail);
        return new FilterChoice(filter, id => wants(NumberOf(id)));
    }
}

/// <summary>A filter, and what it must come to, said without it.</summary>
internal sealed record FilterChoice(MessageFilter Filter, Func<string, bool> Wants);
