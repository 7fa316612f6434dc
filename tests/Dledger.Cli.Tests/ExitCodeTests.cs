using Dledger.Client.Tests.Nodes;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Cli.Tests;

public sealed class ExitCodeTests
{
    [Theory]
    [InlineData(AdminCode.AdminOk, ExitCode.Ok)]
    [InlineData(AdminCode.AdminInvalidArgument, ExitCode.Refused)]
    [InlineData(AdminCode.AdminAlreadyExists, ExitCode.Refused)]
    [InlineData(AdminCode.AdminNotFound, ExitCode.NotFound)]
    [InlineData(AdminCode.AdminUnavailable, ExitCode.Unavailable)]
    [InlineData(AdminCode.AdminBusy, ExitCode.Unavailable)]
    [InlineData(AdminCode.AdminOutcomeUnknown, ExitCode.OutcomeUnknown)]
    [InlineData(AdminCode.AdminInternal, ExitCode.Unexpected)]
    public async Task Each_outcome_of_the_cluster_has_its_exit_code_and_its_hint_is_shown(AdminCode outcome, ExitCode expected)
    {
        await using var node = await ScriptedNode.StartAsync();
        node.Admin.Status = new AdminStatus { Code = outcome, Message = "the reason", Hint = "the next step" };

        var run = await CommandRun.OfAsync("topic", "create", "orders", "--wait", "0", "--address", node.Address);

        Assert.Equal(expected, run.ExitCode);
        if (expected != ExitCode.Ok)
        {
            Assert.Equal("dledger: Creating topic 'orders': the reason\n  the next step\n", run.Error);
            Assert.Equal("", run.Output);
        }
    }

    [Theory]
    [InlineData(ExitCode.Ok, 0)]
    [InlineData(ExitCode.Unexpected, 1)]
    [InlineData(ExitCode.Usage, 2)]
    [InlineData(ExitCode.Unavailable, 3)]
    [InlineData(ExitCode.NotFound, 4)]
    [InlineData(ExitCode.Refused, 5)]
    [InlineData(ExitCode.Damaged, 6)]
    [InlineData(ExitCode.OutcomeUnknown, 7)]
    [InlineData(ExitCode.NodeFault, 8)]
    [InlineData(ExitCode.Interrupted, 130)]
    public void The_numbers_of_the_exit_codes_never_change(ExitCode code, int number) => Assert.Equal(number, (int)code);
}
