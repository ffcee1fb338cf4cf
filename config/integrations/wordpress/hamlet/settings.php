<?php
/** Settings: one option, one page under Settings. A constant in wp-config.php (HAMLET_URL, HAMLET_API_KEY, HAMLET_WEBHOOK_SECRET) goes first. */

namespace Hamlet;

defined( 'ABSPATH' ) || exit;

const OPTION   = 'hamlet';
const DEFAULTS = array(
	'url'             => 'http://127.0.0.1:8025',
	'api_key'         => '',
	'webhook_secret'  => '',
	'ca_file'         => '',
	'mode'            => 'observe',
	'discard'         => '',
	'timeout_seconds' => '5',
);

function setting( string $name ): string {
	$constant = 'HAMLET_' . strtoupper( $name );
	if ( defined( $constant ) ) {
		return (string) constant( $constant );
	}
	$written = get_option( OPTION, array() );
	return (string) ( $written[ $name ] ?? DEFAULTS[ $name ] );
}

function enforces(): bool {
	return 'enforce' === setting( 'mode' );
}

/** What was typed becomes what is kept. An empty secret leaves the one that is there. */
function sanitize( mixed $typed ): array {
	$typed = is_array( $typed ) ? $typed : array();
	$kept  = array();
	foreach ( array_keys( DEFAULTS ) as $name ) {
		$kept[ $name ] = trim( (string) ( $typed[ $name ] ?? '' ) );
	}
	$before = get_option( OPTION, array() );
	foreach ( array( 'api_key', 'webhook_secret' ) as $secret ) {
		if ( '' === $kept[ $secret ] ) {
			$kept[ $secret ] = $before[ $secret ] ?? '';
		}
	}
	$kept['url']             = untrailingslashit( esc_url_raw( $kept['url'], array( 'http', 'https' ) ) );
	$kept['mode']            = 'enforce' === $kept['mode'] ? 'enforce' : 'observe';
	$kept['discard']         = $kept['discard'] ? '1' : '';
	$kept['timeout_seconds'] = (string) min( 30, max( 1, (int) $kept['timeout_seconds'] ) );
	return $kept;
}

add_action(
	'admin_init',
	static function (): void {
		register_setting( OPTION, OPTION, array( 'sanitize_callback' => __NAMESPACE__ . '\sanitize' ) );
	}
);

add_action(
	'admin_menu',
	static function (): void {
		add_options_page( 'Hamlet', 'Hamlet', 'manage_options', 'hamlet', __NAMESPACE__ . '\show_settings' );
	}
);

function show_settings(): void {
	if ( ! current_user_can( 'manage_options' ) ) {
		return;
	}
	$problem = problem();
	?>
	<div class="wrap">
		<h1>Hamlet</h1>
		<p><strong><?php echo esc_html( '' === $problem ? 'Hamlet answers, and knows the key.' : $problem ); ?></strong>
			<?php echo esc_html( sprintf( 'Comments that wait to be sent: %d.', count_waiting() ) ); ?></p>
		<form method="post" action="options.php">
			<?php settings_fields( OPTION ); ?>
			<table class="form-table" role="presentation">
				<?php
				row( 'url', 'Address of Hamlet', 'url', 'Without a path, such as http://127.0.0.1:8025.' );
				row( 'api_key', 'API key', 'password', 'api_key of the site in hamlet.toml. It is not shown; leave it empty to keep it.' );
				row( 'webhook_secret', 'Webhook secret', 'password', 'webhook_secret of the site, whsec_ and all. Its webhook_url is ' . rest_url( 'hamlet/v1/webhook' ) );
				row( 'ca_file', 'File of the certificate authority', 'text', 'Only if Hamlet has a certificate of your own authority: WordPress does not read the system\'s.' );
				row( 'timeout_seconds', 'Seconds to wait', 'number', 'When Hamlet does not answer, the comment is pending and sent again later.' );
				?>
				<tr><th scope="row">Mode</th><td><fieldset>
					<label><input type="radio" name="hamlet[mode]" value="observe" <?php checked( enforces(), false ); ?>>
						Observe: change nothing, record what Hamlet says beside what else decides</label><br>
					<label><input type="radio" name="hamlet[mode]" value="enforce" <?php checked( enforces() ); ?>>
						Enforce: published is approved, held is pending, rejected is spam</label></fieldset></td></tr>
				<tr><th scope="row">Blatant spam</th><td>
					<label><input type="checkbox" name="hamlet[discard]" value="1" <?php checked( setting( 'discard' ), '1' ); ?>>
						Straight into the trash instead of the spam folder</label></td></tr>
			</table>
			<?php submit_button(); ?>
		</form>
	</div>
	<?php
}

function row( string $name, string $label, string $type, string $hint ): void {
	$shown = 'password' === $type ? '' : setting( $name );
	printf(
		'<tr><th scope="row"><label for="hamlet-%1$s">%2$s</label></th><td><input class="regular-text" id="hamlet-%1$s" name="hamlet[%1$s]" type="%3$s" value="%4$s" autocomplete="off"><p class="description">%5$s</p></td></tr>',
		esc_attr( $name ),
		esc_html( $label ),
		esc_attr( $type ),
		esc_attr( $shown ),
		esc_html( $hint )
	);
}
