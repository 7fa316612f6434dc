namespace Dledger.Broker.Transactions;

/// <summary>Who is asked about undecided messages while no producer of the topic is connected.</summary>
/// <param name="Url">Where to; http or https. Empty: nobody is asked.</param>
/// <param name="Secret">Signs what is asked; never shown.</param>
public readonly record struct TransactionWebhook(string Url, string Secret)
{
    public static readonly TransactionWebhook None = new("", "");

    public bool IsSet => Url.Length > 0;

    /// <summary>Without the secret: records print themselves into logs.</summary>
    public override string ToString() => Url;
}
