using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Dledger.Broker.Naming;
using Dledger.Broker.Topics;

namespace Dledger.Broker.Transactions;

/// <summary>The rules of what a topic may say about its transactions.</summary>
public static class TransactionRules
{
    /// <summary>Null when the topic may be changed so.</summary>
    public static Violation? Check(TopicChange change) =>
        CheckTime("first check", change.FirstCheck)
        ?? CheckTime("time between checks", change.CheckInterval)
        ?? (change.CheckCountMax is { } count and (< 1 or > Limits.TransactionChecksMax)
            ? (Violation?)new Violation(
                BrokenRule.TransactionChecks,
                $"{count} checks are asked for; 1 to {Limits.TransactionChecksMax} are allowed")
            : null)
        ?? (change.Webhook is { } webhook ? CheckWebhook(webhook) : null);

    /// <summary>Null when this address may be asked. Those by which machines of a cloud tell secrets may not.</summary>
    public static Violation? CheckAddress(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        var isLinkLocal = plain.AddressFamily == AddressFamily.InterNetwork
            ? plain.GetAddressBytes() is [169, 254, ..] or [100, 100, 100, 200]
            : plain.IsIPv6LinkLocal || plain.Equals(MetadataV6);
        var isNobody = plain.Equals(IPAddress.Any) || plain.Equals(IPAddress.IPv6Any) || plain.IsIPv6Multicast
            || (plain.AddressFamily == AddressFamily.InterNetwork && plain.GetAddressBytes()[0] is >= 224 or 0);
        return isLinkLocal || isNobody
            ? new Violation(
                BrokenRule.Webhook, $"the address {plain} is link-local, multicast or a metadata service and is never asked")
            : null;
    }

    private static readonly IPAddress MetadataV6 = IPAddress.Parse("fd00:ec2::254");

    private static Violation? CheckTime(string what, TimeSpan? time) =>
        time is { } asked && (asked < Limits.TransactionCheckMin || asked > Limits.TransactionRecoveryMax)
            ? new Violation(
                BrokenRule.TransactionChecks,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"a {what} of {asked.TotalSeconds} s is asked for; {Limits.TransactionCheckMin.TotalSeconds} s to ")
                + string.Create(
                    CultureInfo.InvariantCulture, $"{Limits.TransactionRecoveryMax.TotalSeconds} s are allowed"))
            : null;

    private static Violation? CheckWebhook(TransactionWebhook webhook)
    {
        if (webhook.Url.Length == 0)
        {
            return webhook.Secret.Length == 0
                ? null
                : new Violation(BrokenRule.Webhook, "the webhook has a secret and no address");
        }

        if (webhook.Url.Length > Limits.WebhookUrlLengthMax)
        {
            return new Violation(
                BrokenRule.Webhook,
                $"the webhook's address has {webhook.Url.Length} characters; the limit is {Limits.WebhookUrlLengthMax}");
        }

        if (webhook.Secret.Length is 0 or > Limits.WebhookSecretLengthMax)
        {
            return new Violation(
                BrokenRule.Webhook,
                $"the webhook's secret has {webhook.Secret.Length} characters; 1 to {Limits.WebhookSecretLengthMax} are allowed");
        }

        if (!Uri.TryCreate(webhook.Url, UriKind.Absolute, out var uri)
            || (uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps)
            || uri.UserInfo.Length > 0
            || uri.Host.Length == 0)
        {
            return new Violation(
                BrokenRule.Webhook, "the webhook's address is no http or https address without user and password");
        }

        return IPAddress.TryParse(uri.DnsSafeHost, out var address) ? CheckAddress(address) : null;
    }
}
